"""What SIP does to a channel: ringing, early media, answer, and the far end's own end of it."""

from __future__ import annotations

from controlplane.emulator.causes import cause_of_status, phrase_of_status
from controlplane.emulator.channel import Channel
from controlplane.emulator.profiles import MEDIA_VARIABLES, far_end_variables


def ring(channel: Channel) -> None:
    """Send or take 180. Nothing if it was answered or has early media."""
    if channel.cause or channel.has_media or channel.is_ringing:
        return
    channel.is_ringing = True
    now_us = channel.node.now_us()
    channel.profile.times.progress = now_us
    if channel.originator is not None:
        channel.originator.profile.times.progress = now_us
        channel.originator.changed()
    channel.changed()
    channel.fire("CHANNEL_PROGRESS")
    channel.variables.set("endpoint_disposition", "RING READY")
    channel.set_callstate("RINGING")


def pre_answer(channel: Channel) -> None:
    """Send or take 183 with audio. Nothing if audio flows already."""
    if channel.cause or channel.has_media:
        return
    channel.has_early_media = True
    channel.variables.update(MEDIA_VARIABLES)
    channel.profile.times.progress_media = channel.node.now_us()
    channel.changed()
    channel.fire("CHANNEL_PROGRESS_MEDIA")
    channel.set_callstate("EARLY")
    channel.variables.set("endpoint_disposition", "EARLY MEDIA")


def answer(channel: Channel) -> None:
    """Send or take 200. An inbound channel begins its audio with it, and both events tell (seen)."""
    if channel.cause or channel.is_answered:
        return
    if channel.is_inbound:
        pre_answer(channel)
    else:
        channel.variables.update(far_end_variables(channel.profile))
        if not channel.has_early_media:
            channel.variables.update(MEDIA_VARIABLES)
    channel.is_answered = True
    channel.profile.times.answered = channel.node.now_us()
    channel.changed()
    channel.fire("CHANNEL_ANSWER")
    channel.variables.set("endpoint_disposition", "ANSWER")
    channel.node.on_answer(channel)
    channel.set_callstate("ACTIVE")
    channel.wake()


def far_end_hangs_up(channel: Channel) -> None:
    """The far end sends BYE, or CANCEL if it was not answered. The channel's thread finds out at once."""
    is_cancel = channel.is_inbound and not channel.is_answered
    channel.ended_by_far_end = True
    if not channel.end("ORIGINATOR_CANCEL" if is_cancel else "NORMAL_CLEARING"):
        return
    if is_cancel:
        _note_failure(channel, 487, "recv_cancel")
    else:
        channel.variables.update({"sip_term_status": "200", "sip_hangup_disposition": "recv_bye"})
        channel.variables.update({"proto_specific_hangup_cause": "sip:200", "sip_term_cause": "16"})
    _find_out(channel)


def _find_out(channel: Channel) -> None:
    """Wake the thread of a channel that is gone; of two in conversation either may find out first (both seen)."""
    if channel.partner is not None and channel.node.races.is_unusual():
        channel.partner.wake_now()
        channel.wake()
    else:
        channel.wake_now()


def far_end_refuses(channel: Channel, sip_status: int) -> None:
    """The far end answers our INVITE with a final status of 300 or more."""
    channel.ended_by_far_end = True
    if channel.end(cause_of_status(sip_status)):
        _note_failure(channel, sip_status, "recv_refuse")
        channel.wake_now()


def _note_failure(channel: Channel, sip_status: int, disposition: str) -> None:
    status, phrase = str(sip_status), phrase_of_status(sip_status)
    channel.variables.update({"sip_hangup_disposition": disposition, "sip_invite_failure_status": status})
    channel.variables.update({"sip_invite_failure_phrase": phrase, "sip_term_status": status})
    channel.variables.set("proto_specific_hangup_cause", f"sip:{status}")
