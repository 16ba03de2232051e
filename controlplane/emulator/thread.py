"""What a channel's own thread does: take messages, run applications, park, end.

FreeSWITCH's rules, which decide what a call server may rely on (switch_ivr.c):
- A channel looks around once a frame (20 ms). A parked one then runs all its messages back to back.
- While an application runs, messages run *inside* it at its next frame, and its own time stands still, unless the
  message that runs is locked: then whatever came after waits, locked or not.
- Breaking an application off ends that round of messages: the next one runs a frame later.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from controlplane.emulator.causes import read_cause
from controlplane.emulator.channel import FRAME_MS, Channel, Digit, Message
from controlplane.emulator.fibers import pause
from controlplane.emulator.signalling import pre_answer

_NESTED_AT_MOST = 16  # SWITCH_MAX_STACKS
_LOOP_AT_LEAST_MS = 500  # a shorter application is not looped


class Ended(Enum):
    """Why a wait was over."""

    TIME = "time"
    BREAK = "break"  # uuid_break
    BREAK_ALL = "break all"
    KEY = "key"  # `on_digit` answered False, or there is no `on_digit` and a key came
    GONE = "gone"  # hung up, transferred, joined with another channel


@dataclass(frozen=True, slots=True)
class App:
    """A dialplan application. `needs_media` pre-answers an inbound channel first; `runs_when_down` after the end."""

    run: Callable[[Channel, str], Awaitable[None]]
    needs_media: bool = False
    runs_when_down: bool = False


class Keys(Enum):
    """What a wait does with keys where it has no function for them."""

    LEFT = "left"  # they stay in the queue and end nothing
    ENDING = "ending"  # they stay in the queue and end the wait


OnDigit = Callable[[Digit], bool]


async def let_pass(
    channel: Channel,
    duration_ms: int | None,
    on_digit: OnDigit | Keys = Keys.LEFT,
    *,
    minds_break: bool = True,
    stands_still: bool = False,
) -> Ended:
    """Let frames go by for `duration_ms` (None: without end), running what comes in between.

    `on_digit` takes a key from the queue, one a frame, and answers whether to go on. With `stands_still` the time that
    nested applications take does not count, as a file stands still that is not read.
    """
    left_ms = duration_ms
    while True:
        if ended := _interruption(channel, minds_break=minds_break):
            return ended
        began_ms = channel.node.clock.monotonic_ms()
        await run_messages(channel)
        if not channel.is_ready:
            return Ended.GONE
        if stands_still:
            began_ms = channel.node.clock.monotonic_ms()
        if channel.digits and on_digit is not Keys.LEFT and not _take_digit(channel, on_digit):
            return Ended.KEY
        if left_ms is not None and left_ms <= channel.node.clock.monotonic_ms() - began_ms:
            return Ended.TIME
        is_busy = (on_digit is not Keys.LEFT and bool(channel.digits)) or (minds_break and channel.break_flag > 0)
        await _one_wait(channel, None if left_ms is None else began_ms + left_ms, is_busy=is_busy)
        if left_ms is not None:
            left_ms -= channel.node.clock.monotonic_ms() - began_ms


def _interruption(channel: Channel, *, minds_break: bool) -> Ended | None:
    if not channel.is_ready:
        return Ended.GONE
    if minds_break and channel.break_flag:
        flag, channel.break_flag = channel.break_flag, 0
        return Ended.BREAK_ALL if flag == 2 else Ended.BREAK
    return None


def _take_digit(channel: Channel, on_digit: OnDigit | Keys) -> bool:
    if isinstance(on_digit, Keys):
        return False
    return on_digit(dequeue_digit(channel))


async def _one_wait(channel: Channel, until_ms: int | None, *, is_busy: bool) -> None:
    """Sleep until there is something to do; times end at frames. With work left over that is the next frame."""
    if until_ms is not None:
        until_ms += -(until_ms - channel.grid_ms) % FRAME_MS
    if is_busy or (channel.messages and not channel.is_locked):
        until_ms = channel.next_frame_ms()
    await pause(until_ms)


def dequeue_digit(channel: Channel) -> Digit:
    """Take the next key. Only now does the world hear of it (switch_channel.c, switch_channel_dequeue_dtmf)."""
    digit = channel.digits.popleft()
    channel.keys_taken.append(digit.key)
    channel.fire(
        "DTMF",
        after=(
            ("DTMF-Digit", digit.key), ("DTMF-Duration", str(digit.duration)), ("DTMF-Source", digit.source),
        ),
    )  # fmt: skip
    return digit


async def run_messages(channel: Channel) -> None:
    """Run the messages that wait, back to back, unless a locked one is running (switch_ivr_parse_all_events)."""
    while channel.messages and not channel.is_locked and channel.nesting < _NESTED_AT_MOST:
        channel.nesting += 1
        try:
            await _run_message(channel, channel.messages.popleft())
        finally:
            channel.nesting -= 1
        if channel.break_flag:
            return


async def _run_message(channel: Channel, message: Message) -> None:
    """switch_ivr_parse_event: set the flags of a broadcast, run the application, as often as asked."""
    if message.cause:
        channel.hang_up(read_cause(message.cause))
        return
    channel.is_locked = channel.is_locked or message.is_locked
    for _ in range(message.lead_frames):
        await pause(channel.next_frame_ms())
    channel.is_stopping_broadcast = False
    was_broadcasting, channel.is_broadcasting = channel.is_broadcasting, True
    for _ in range(message.loops) if message.loops >= 0 else iter(int, 1):
        began_ms = channel.node.clock.monotonic_ms()
        is_run = await execute(channel, message.app, message.data, message.token)
        lasted_ms = channel.node.clock.monotonic_ms() - began_ms
        if not is_run or not channel.is_ready or channel.is_stopping_broadcast or lasted_ms < _LOOP_AT_LEAST_MS:
            break
    channel.is_broadcasting = was_broadcasting
    if channel.is_stopping_broadcast:
        channel.is_broadcasting = False
        channel.break_flag = 1
    if message.is_locked:
        channel.is_locked = False


async def execute(channel: Channel, app: str, data: str, token: str | None = None) -> bool:
    """Run one application (switch_core_session_execute_application). False if it could not run at all.

    An unknown one hangs the channel up with DESTINATION_OUT_OF_ORDER, and no event says that it was to run.
    """
    found = channel.node.apps.get(app)
    if channel.is_down and (found is None or not found.runs_when_down):
        return False
    if found is None:
        channel.hang_up("DESTINATION_OUT_OF_ORDER")
        return False
    if found.needs_media and not channel.has_media:
        if not channel.is_inbound:
            return False
        pre_answer(channel)
    expanded = _expand(channel, data)
    app_uuid = token or channel.node.make_uuid()
    channel.variables.set("current_application_data", expanded)
    channel.variables.set("current_application", app)
    channel.variables.set("current_application_response", None)
    headers = [("Application", app), *([("Application-Data", expanded)] if expanded else [])]
    channel.fire("CHANNEL_EXECUTE", after=[*headers, ("Application-UUID", app_uuid)])
    channel.break_flag = 0
    channel.app_log.append((app, expanded))
    await found.run(channel, expanded)
    response = channel.variables.get("current_application_response") or "_none_"
    channel.fire(
        "CHANNEL_EXECUTE_COMPLETE", after=[*headers, ("Application-Response", response), ("Application-UUID", app_uuid)]
    )
    return True


def _expand(channel: Channel, data: str) -> str:
    """Put variables in where `${name}` stands; unknown ones are empty."""
    if "${" not in data:
        return data
    return re.sub(r"\$\{([^{}]*)\}", lambda found: channel.variables.get(found[1]) or "", data)


async def park(channel: Channel) -> None:
    """Hold the channel and run its messages at each frame until it ends or leaves (switch_ivr_park)."""
    limit_ms, cause = _park_timeout(channel)
    channel.is_parked = True
    channel.fire("CHANNEL_PARK")
    channel.hears.begin(None, channel.node.clock.monotonic_ms())
    if channel.is_ready:
        await pause(channel.next_frame_ms())
    if await let_pass(channel, limit_ms, _drop, minds_break=False) is Ended.TIME:
        channel.hang_up(cause)
    channel.is_parked = False
    channel.fire("CHANNEL_UNPARK")


def _park_timeout(channel: Channel) -> tuple[int | None, str]:
    """Read `park_timeout=<seconds>[:<cause>]` once and remove it: clearing it later does nothing (switch_ivr.c:985).

    The park looks at it between messages only, so that a conversation may outlast it.
    """
    timeout = channel.variables.get("park_timeout")
    if not timeout:
        return None, ""
    seconds, _, cause = timeout.partition(":")
    channel.variables.set("park_timeout", None)
    channel.variables.set("park_after_bridge", None)
    return int(seconds) * 1000 - channel.node.clock.now_ms() % 1000, cause or "NORMAL_CLEARING"


def _drop(_digit: Digit) -> bool:
    return True
