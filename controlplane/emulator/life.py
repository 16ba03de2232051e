"""The life of a channel, state after state (switch_core_state_machine.c), from its first event to its last."""

from __future__ import annotations

from datetime import UTC, datetime

from controlplane.emulator.bridging import be_talked_to
from controlplane.emulator.causes import q850_of
from controlplane.emulator.channel import Channel
from controlplane.emulator.fibers import pause
from controlplane.emulator.joining import be_joined
from controlplane.emulator.thread import execute, park

_STAMP = "%Y-%m-%d %H:%M:%S"


async def live(channel: Channel) -> None:
    """What a channel's fiber runs."""
    if channel.is_inbound:
        _begin_inbound(channel)
    else:
        _begin_outbound(channel)
    await _go_on(channel)


async def live_again(channel: Channel) -> None:
    """What the fiber of a channel runs that another node had before."""
    channel.enter("CS_INIT")
    channel.fire("CHANNEL_CREATE")
    await _go_on(channel)


async def _go_on(channel: Channel) -> None:
    while not channel.is_down:
        if channel.next_state is None:
            await pause(None)
        elif await _take_up(channel):
            await _act(channel)
    _end(channel)


def _begin_inbound(channel: Channel) -> None:
    channel.enter("CS_NEW")
    channel.enter("CS_INIT")
    channel.fire("CHANNEL_CREATE")
    channel.state = channel.running_state = "CS_ROUTING"
    channel.set_callstate("RINGING")
    channel.enter("CS_ROUTING")
    channel.next_state = "CS_EXECUTE"


def _begin_outbound(channel: Channel) -> None:
    channel.enter("CS_INIT")
    channel.fire("CHANNEL_CREATE")
    channel.fire("CHANNEL_ORIGINATE")
    channel.enter("CS_ROUTING")
    if channel.next_state is None:
        channel.next_state = "CS_CONSUME_MEDIA"


async def _take_up(channel: Channel) -> bool:
    """Enter the state it was told to. A transfer passes through CS_ROUTING, where the call rings once more (seen)."""
    state, channel.next_state, channel.is_leaving = channel.next_state, None, False
    if state == "CS_ROUTING":
        before = channel.callstate
        channel.state = channel.running_state = state
        channel.set_callstate("RINGING")
        channel.enter(state)
        channel.set_callstate(before)
        channel.next_state = "CS_EXECUTE"
        return False
    if state is not None:
        channel.enter(state)
    return state is not None


async def _act(channel: Channel) -> None:
    match channel.state:
        case "CS_EXECUTE":
            await _run_extension(channel)
        case "CS_PARK":
            await park(channel)
        case "CS_EXCHANGE_MEDIA":
            await be_talked_to(channel)
        case "CS_HIBERNATE":
            await be_joined(channel)


async def _run_extension(channel: Channel) -> None:
    """Run the dialplan's actions; a channel that has come to the end of them is hung up."""
    while channel.extension and channel.is_ready:
        app, data = channel.extension.popleft()
        await execute(channel, app, data)
    if channel.is_ready:
        channel.hang_up("NORMAL_CLEARING")


def _end(channel: Channel) -> None:
    """The last events: hang up, report, destroy."""
    channel.state = channel.running_state = "CS_HANGUP"
    channel.changed()
    channel.fire("CHANNEL_STATE")
    for recording in list(channel.recordings.values()):
        recording.stop()
    channel.set_callstate("HANGUP")
    channel.enter("CS_REPORTING")
    _set_report_variables(channel)
    channel.node.report(channel)
    channel.fire("CHANNEL_HANGUP_COMPLETE", before=(("Hangup-Cause", channel.cause),))
    channel.node.forget(channel)
    channel.fire("CHANNEL_DESTROY")
    channel.enter("CS_DESTROY")


def _set_report_variables(channel: Channel) -> None:
    """The variables that only the last events have (switch_channel.c, switch_channel_set_timestamps)."""
    times, values = channel.profile.times, channel.variables
    values.set("hangup_cause", channel.cause)
    values.set("hangup_cause_q850", str(q850_of(channel.cause)))
    values.set("digits_dialed", "".join(channel.keys_taken) or "none")
    moments = {
        "start": times.created, "profile_start": times.profile_created, "answer": times.answered,
        "bridge": times.bridged, "progress": times.progress, "progress_media": times.progress_media,
        "end": times.hungup,
    }  # fmt: skip
    for name, at_us in moments.items():
        if at_us:
            values.set(f"{name}_stamp", datetime.fromtimestamp(at_us / 1e6, UTC).strftime(_STAMP))
        values.set(f"{name}_epoch", str(at_us // 1_000_000))
        values.set(f"{name}_uepoch", str(at_us))
    if channel.app_log:
        values.set("last_app", channel.app_log[-1][0])
        values.set("last_arg", channel.app_log[-1][1])
    values.set("caller_id", f'"{channel.profile.cid_name}" <{channel.profile.cid_number}>')
    _set_durations(channel)


def _set_durations(channel: Channel) -> None:
    times = channel.profile.times
    end = times.hungup
    spans_us = {
        "duration": end - times.created, "bill": end - times.answered if times.answered else 0,
        "progress": times.progress - times.created if times.progress else 0,
        "answer": times.answered - times.created if times.answered else 0,
        "wait": (times.bridged or times.created) - times.created,
        "progress_media": times.progress_media - times.created if times.progress_media else 0,
        "flow_bill": end - times.created,
    }  # fmt: skip
    for unit, size in (("sec", 1_000_000), ("msec", 1_000), ("usec", 1)):
        for name, span_us in spans_us.items():
            label = {"sec": "duration", "msec": "mduration", "usec": "uduration"}[unit]
            channel.variables.set(label if name == "duration" else f"{name}{unit}", str(span_us // size))
