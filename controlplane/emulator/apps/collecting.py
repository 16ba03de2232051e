"""read and play_and_get_digits (switch_ivr_read, switch_ivr_collect_digits_count)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from controlplane.emulator.apps.playing import play
from controlplane.emulator.channel import Channel, Digit
from controlplane.emulator.thread import Ended, Keys, dequeue_digit, let_pass

_LEAST_TIMEOUT_MS = 1000
_MOST_DIGITS = 127


class _Status(Enum):
    SUCCESS = "success"
    TIMEOUT = "timeout"
    TOO_SMALL = "failure"
    NO_PROMPT = ""  # the prompt could not be played: no result at all
    RESTART = "restart"


@dataclass(slots=True)
class _Reading:
    """One switch_ivr_read: its arguments, and the keys so far."""

    least: int
    most: int
    prompt: str
    variable: str
    timeout_ms: int
    terminators: str
    digit_timeout_ms: int
    keys: str = ""
    terminator: str = field(default="")


async def read(channel: Channel, data: str) -> None:
    """`min max prompt variable timeout terminators digit_timeout`."""
    words = data.split(" ")
    least, most, prompt, variable, timeout, terminators, digit_timeout = (words + [""] * 7)[:7]
    least_digits = max(1, _number(least))
    reading = _Reading(
        least_digits,
        max(least_digits, _number(most)),
        prompt,
        variable,
        max(_LEAST_TIMEOUT_MS, _number(timeout, 1000)),
        terminators or "#",
        _number(digit_timeout),
    )
    await _read_once(channel, reading)


async def play_and_get_digits(channel: Channel, data: str) -> None:
    """`min max tries timeout terminators prompt bad_input variable regex digit_timeout`."""
    words = (data.split(" ") + [""] * 10)[:10]
    least, most, tries, timeout, terminators, prompt, bad_input, variable, pattern, digit_timeout = words
    least_digits = max(0, _number(least))
    channel.variables.set(f"{variable}_invalid", None)
    for _ in range(_number(tries)):
        reading = _Reading(
            least_digits, max(least_digits, _number(most)), prompt, variable,
            max(_LEAST_TIMEOUT_MS, _number(timeout, 1000)), terminators, _number(digit_timeout),
        )  # fmt: skip
        if await _try_once(channel, reading, pattern) or not channel.is_ready:
            return
        await play(channel, bad_input, Keys.LEFT)
        if not channel.is_ready:
            return


async def _try_once(channel: Channel, reading: _Reading, pattern: str) -> bool:
    status = await _read_once(channel, reading)
    if status is _Status.TIMEOUT and len(reading.keys) >= reading.least:
        status = _Status.SUCCESS
    if reading.least == 0 and not reading.keys and channel.variables.get("read_terminator_used"):
        return True
    if status is not _Status.SUCCESS or not reading.keys:
        return False
    if not pattern or re.search(pattern, reading.keys):
        return True
    channel.variables.set(reading.variable, None)
    channel.variables.set(f"{reading.variable}_invalid", reading.keys)
    return False


def _number(text: str, default: int = 0) -> int:
    found = re.match(r"\s*(-?\d+)", text)
    return int(found[1]) if found else default


async def _read_once(channel: Channel, reading: _Reading) -> _Status:
    channel.variables.set("read_result", None)
    channel.variables.set(reading.variable, None)
    status = await _play_prompt(channel, reading)
    if status is _Status.SUCCESS and len(reading.keys) < reading.most:
        status = await _collect(channel, reading)
    if reading.terminator:
        status = _take_terminator(channel, reading, status)
    elif reading.terminators.startswith("=") and status is not _Status.NO_PROMPT:
        status = _Status.TOO_SMALL
    if status is not _Status.NO_PROMPT:
        if len(reading.keys) < reading.least:
            status = _Status.TOO_SMALL
        channel.variables.set("read_result", "failure" if status is _Status.RESTART else status.value)
    if reading.most == 1 and len(reading.keys) == 1 and reading.keys in reading.terminators:
        reading.keys = ""
    if reading.keys:
        channel.variables.set(reading.variable, reading.keys)
    return status


async def _play_prompt(channel: Channel, reading: _Reading) -> _Status:
    """Play; any key stops it and is the first, a finish key too."""
    if not reading.prompt or reading.prompt.lower() == "silence":
        return _Status.SUCCESS

    def on_digit(digit: Digit) -> bool:
        reading.keys = digit.key
        return False

    ended = await play(channel, reading.prompt, on_digit)
    return _Status.NO_PROMPT if ended in (None, Ended.GONE) else _Status.SUCCESS


async def _collect(channel: Channel, reading: _Reading) -> _Status:
    """Take keys until there are enough, a finish key, or silence. uuid_break does not end this (seen)."""
    if reading.keys and reading.keys in reading.terminators:
        reading.terminator, reading.keys = reading.keys, ""
        return _Status.SUCCESS
    between_ms = reading.digit_timeout_ms or reading.timeout_ms
    wait_ms = between_ms if reading.keys else reading.timeout_ms
    while True:
        ended = await let_pass(channel, wait_ms, Keys.ENDING, minds_break=False)
        if ended is Ended.TIME:
            return _Status.TIMEOUT
        if ended is not Ended.KEY:
            return _Status.TOO_SMALL
        wait_ms = between_ms
        if _take_keys(channel, reading):
            return _Status.SUCCESS


def _take_keys(channel: Channel, reading: _Reading) -> bool:
    """Take what is queued; True when that is all that is wanted."""
    while channel.digits:
        digit = dequeue_digit(channel)
        if digit.key in reading.terminators:
            reading.terminator = digit.key
            return True
        reading.keys += digit.key
        if len(reading.keys) >= min(reading.most, _MOST_DIGITS):
            return True
    return False


def _take_terminator(channel: Channel, reading: _Reading, status: _Status) -> _Status:
    channel.variables.set("read_terminator_used", reading.terminator)
    before = reading.terminators[reading.terminators.find(reading.terminator) - 1 :][:1]
    if reading.terminators.find(reading.terminator) > 0 and before in "+x":
        reading.keys += reading.terminator
        return _Status.RESTART if before == "x" else status
    return status
