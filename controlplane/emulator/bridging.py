"""Two channels in conversation, and what becomes of them after it (switch_ivr_bridge.c).

The channel that bridged runs the conversation in its own thread; the other waits in CS_EXCHANGE_MEDIA. What the first
does after it is decided by its variables, and has traps that were seen on a real 1.10.12:
- `park_after_bridge` makes it leave where it is, so that messages queued behind the bridge run on a channel that is
  leaving: nothing plays, no second bridge dials;
- in CS_PARK, where it is after such a bridge, the same ends its park and begins no other: it is deaf from then on.
Without it and with `hangup_after_bridge` false the park that was under way goes on.
"""

from __future__ import annotations

from controlplane.emulator.channel import Channel, Digit, Message
from controlplane.emulator.fibers import pause
from controlplane.emulator.hearing import SILENCE
from controlplane.emulator.signalling import answer
from controlplane.emulator.thread import dequeue_digit, run_messages

# DEFAULT_LEAD_FRAMES: messages are not looked at before so many frames of a conversation.
_LEAD_MS = 200


async def converse(a_leg: Channel, b_leg: Channel) -> None:
    """Let two channels talk until either ends, leaves, or presses its `bridge_terminate_key`; then part them."""
    if b_leg.is_answered:
        answer(a_leg)
    _begin(a_leg, b_leg)
    await _talk(a_leg, b_leg)
    is_leaving = a_leg.is_leaving
    _part(a_leg, b_leg)
    while b_leg.running_state == "CS_EXCHANGE_MEDIA" and not b_leg.is_down and not b_leg.is_leaving:
        await pause(a_leg.next_frame_ms())
    _tell(a_leg, b_leg)
    if not is_leaving and not a_leg.is_down:
        _go_on(a_leg, b_leg)


def _begin(a_leg: Channel, b_leg: Channel) -> None:
    b_leg.variables.set("call_uuid", a_leg.uuid)
    for leg, other in ((a_leg, b_leg), (b_leg, a_leg)):
        leg.profile.times.bridged = leg.node.now_us()
        leg.met[other.uuid] = other
        leg.changed()
    a_leg.fire("CHANNEL_BRIDGE", before=_names(a_leg, b_leg))
    for leg, other in ((a_leg, b_leg), (b_leg, a_leg)):
        leg.partner = other
        leg.variables.update({"bridge_to": other.uuid, "last_bridge_to": other.uuid, "bridge_uuid": other.uuid})
        leg.variables.update({"bridge_channel": other.profile.channel_name, "signal_bond": other.uuid})
        for recording in leg.recordings.values():
            recording.conversation_began()
    a_leg.is_originator = True
    for leg in (a_leg, b_leg):
        leg.node.track(leg)
    if app := a_leg.variables.get("bridge_pre_execute_aleg_app"):
        a_leg.messages.append(Message(app, a_leg.variables.get("bridge_pre_execute_aleg_data") or ""))
    if not b_leg.is_leaving:
        b_leg.go_to("CS_EXCHANGE_MEDIA")
    hear_each_other(a_leg)


def _names(a_leg: Channel, b_leg: Channel) -> tuple[tuple[str, str], ...]:
    return (("Bridge-A-Unique-ID", a_leg.uuid), ("Bridge-B-Unique-ID", b_leg.uuid))


def hear_each_other(leg: Channel) -> None:
    """Set what two joined parties hear, after either was muted or not any more."""
    other = leg.partner
    if other is None:
        return
    now_ms = leg.node.clock.monotonic_ms()
    for hearer, speaker in ((leg, other), (other, leg)):
        is_silent = speaker.is_mute or hearer.is_deaf
        hearer.hears.begin(SILENCE if is_silent else f"leg:{speaker.uuid}", now_ms)
        hearer.changed()


async def _talk(a_leg: Channel, b_leg: Channel) -> None:
    listens_from_ms = a_leg.node.clock.monotonic_ms() + _LEAD_MS
    while a_leg.is_ready and not b_leg.is_down and b_leg.partner is a_leg and not _is_transferred(b_leg):
        if a_leg.messages and a_leg.node.clock.monotonic_ms() >= listens_from_ms:
            await run_messages(a_leg)
        if not _pass_keys(a_leg, b_leg) or not _answer_late(a_leg, b_leg):
            return
        waits = a_leg.messages and not a_leg.is_locked
        await pause(max(listens_from_ms, a_leg.next_frame_ms()) if waits else None)


def _is_transferred(leg: Channel) -> bool:
    return leg.is_leaving and leg.next_state not in (None, "CS_EXCHANGE_MEDIA")


def _answer_late(a_leg: Channel, b_leg: Channel) -> bool:
    """A conversation may begin with early media: answer the caller when the callee does."""
    if b_leg.is_answered and not a_leg.is_answered:
        answer(a_leg)
    return True


def _pass_keys(leg: Channel, other: Channel) -> bool:
    """Hand keys to the other party; False at the key that ends the conversation."""
    ending = leg.variables.get("bridge_terminate_key") or ""
    while leg.digits:
        digit = dequeue_digit(leg)
        if digit.key in ending:
            return False
        _hand_over(other, digit)
    return True


def _hand_over(other: Channel, digit: Digit) -> None:
    other.digits_sent.append((other.node.clock.monotonic_ms(), digit.key))
    other.changed()


async def be_talked_to(b_leg: Channel) -> None:
    """What the other channel's thread does in CS_EXCHANGE_MEDIA (audio_bridge_on_exchange_media)."""
    a_leg = b_leg.partner
    while a_leg is not None and b_leg.partner is a_leg and b_leg.is_ready and not a_leg.is_down and a_leg.is_ready:
        if not _pass_keys(b_leg, a_leg):
            break
        await pause(None)
    if a_leg is not None:
        _part(a_leg, b_leg)
        a_leg.wake()
    if not b_leg.is_ready:
        return
    if b_leg.variables.is_true("park_after_bridge"):
        b_leg.go_to("CS_PARK")
    else:
        b_leg.hang_up("NORMAL_CLEARING" if b_leg.is_answered else "ORIGINATOR_CANCEL")


def _part(a_leg: Channel, b_leg: Channel) -> None:
    now_ms = a_leg.node.clock.monotonic_ms()
    for leg, other in ((a_leg, b_leg), (b_leg, a_leg)):
        if leg.partner is other:
            leg.partner = None
            leg.hears.begin(None, now_ms)
            for recording in leg.recordings.values():
                recording.conversation_ended()
            leg.changed()
            leg.node.track(leg)
            leg.wake()


def _tell(a_leg: Channel, b_leg: Channel) -> None:
    a_leg.is_originator = False
    for leg, other in ((a_leg, b_leg), (b_leg, a_leg)):
        leg.variables.set("bridge_to", None)
        if other.cause:
            leg.variables.set("bridge_hangup_cause", other.cause)
            leg.variables.set("last_bridge_hangup_cause", other.cause)
    b_leg.variables.set("call_uuid", b_leg.uuid)
    a_leg.fire("CHANNEL_UNBRIDGE", before=_names(a_leg, b_leg))


def _go_on(a_leg: Channel, b_leg: Channel) -> None:
    """What the first channel does now (switch_ivr_multi_threaded_bridge, its end)."""
    cause = b_leg.cause or "NORMAL_CLEARING"
    if not b_leg.is_answered:
        handle_cause(a_leg, cause)
    if a_leg.is_down or not (b_leg.is_answered or b_leg.has_early_media):
        return
    values = a_leg.variables
    if (b_leg.is_answered and values.is_true("park_after_bridge")) or values.is_true("park_after_early_bridge"):
        a_leg.go_to("CS_PARK")
    elif b_leg.is_answered and values.is_true("hangup_after_bridge"):
        a_leg.hang_up(cause)


def handle_cause(a_leg: Channel, cause: str) -> None:
    """End a channel whose bridge failed, unless it is told to go on (switch_channel_handle_cause)."""
    wanted = a_leg.variables.get("continue_on_fail")
    if wanted is None:
        is_kept = cause in ("NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL")
    else:
        is_kept = a_leg.variables.is_true("continue_on_fail") or cause.lower() in wanted.lower().split(",")
    if not is_kept and not a_leg.is_down:
        a_leg.hang_up(cause)
