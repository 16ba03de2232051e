"""playback, sleep, echo, send_dtmf (mod_dptools.c; switch_ivr_play_say.c, switch_ivr_play_file; switch_ivr.c)."""

from __future__ import annotations

import re

from controlplane.emulator.channel import FRAME_MS, Channel, Digit
from controlplane.emulator.signalling import pre_answer
from controlplane.emulator.sounds import Sound, parts_of
from controlplane.emulator.thread import Ended, Keys, OnDigit, let_pass

# FILE_STARTSAMPLES: how many samples FreeSWITCH reads from a file at once; `playback_samples` counts those.
_READ_AHEAD = 16_384
_SAMPLES_PER_MS = 8

_ALL_KEYS = "1234567890*#"


async def playback(channel: Channel, data: str) -> None:
    """Play a sound; a key of `playback_terminators` (* unless set) ends it."""
    channel.variables.set("playback_terminator_used", None)
    ended = await play(channel, data, terminating(channel))
    channel.variables.set("current_application_response", _response(channel, ended))


def _response(channel: Channel, ended: Ended | None) -> str:
    """A sound broken off by our own hang-up was played; one that the far end cut was an error (both observed)."""
    if ended is None:
        return "FILE NOT FOUND"
    if ended is not Ended.GONE or (channel.is_down and not channel.ended_by_far_end):
        return "FILE PLAYED"
    return "PLAYBACK ERROR"


def terminating(channel: Channel) -> OnDigit:
    """What playback, record and speak do with a key: go on, or end at a terminator and say which."""

    def on_digit(digit: Digit) -> bool:
        terminators = channel.variables.get("playback_terminators") or "*"
        terminators = {"any": _ALL_KEYS, "none": ""}.get(terminators.lower(), terminators)
        if digit.key not in terminators:
            return True
        channel.variables.set("playback_terminator_used", digit.key)
        return False

    return on_digit


async def play(channel: Channel, name: str, on_digit: OnDigit | Keys) -> Ended | None:
    """Play a sound and answer how it ended, None if there is none of that name.

    On a channel that is leaving nothing is played, and no event tells of it.
    """
    pre_answer(channel)
    if not channel.is_ready:
        return Ended.GONE
    parts = parts_of(name)
    if parts is None:
        return None
    path = name.partition("@@")[0]
    kind = [("Playback-File-Type", "tone_stream")] if path.startswith("tone_stream:") else []
    headers = [*kind, ("Playback-File-Path", path)]
    channel.fire("PLAYBACK_START", after=headers)
    played_ms, ended = await _play_parts(channel, parts, on_digit)
    _note_length(channel, parts, played_ms)
    status = "break" if ended in (Ended.BREAK, Ended.BREAK_ALL, Ended.KEY) else "done"
    channel.fire("PLAYBACK_STOP", after=[*headers, ("Playback-Status", status)])
    return ended


async def _play_parts(channel: Channel, parts: list[Sound], on_digit: OnDigit | Keys) -> tuple[int, Ended]:
    """Play part after part without a gap; answers for how long, not counting what ran in between, and how it ended."""
    clock = channel.node.clock
    began_ms = clock.monotonic_ms()
    ended = Ended.TIME
    for part in parts:
        channel.hears.begin_anew(part.what, clock.monotonic_ms())
        channel.changed()
        duration_ms = part.duration_ms
        if duration_ms is not None:
            duration_ms += -duration_ms % FRAME_MS
        ended = await let_pass(channel, duration_ms, on_digit, stands_still=True)
        if ended is not Ended.TIME:
            break
    channel.hears.begin(None, clock.monotonic_ms())
    return clock.monotonic_ms() - began_ms, ended


def _note_length(channel: Channel, parts: list[Sound], played_ms: int) -> None:
    lengths = [part.duration_ms for part in parts]
    total = sum(length or 0 for length in lengths) * _SAMPLES_PER_MS if None not in lengths else None
    played = played_ms * _SAMPLES_PER_MS
    read = -(-(played + 1) // _READ_AHEAD) * _READ_AHEAD
    samples = read if total is None else min(total, read)
    channel.variables.update({
        "playback_last_offset_pos": str(played if total is None else min(total, played)),
        "playback_seconds": str(samples // 8000), "playback_ms": str(samples // _SAMPLES_PER_MS),
        "playback_samples": str(samples),
    })  # fmt: skip


async def sleep(channel: Channel, data: str) -> None:
    """Wait. A key ends it and stays in the queue (sleep_function passes arguments without a callback)."""
    duration_ms = int(data) if data.strip().isdigit() else 0
    if not channel.has_media:
        await _sleep_without_media(channel, duration_ms // FRAME_MS * FRAME_MS)
        return
    await let_pass(channel, duration_ms, Keys.ENDING)


async def _sleep_without_media(channel: Channel, duration_ms: int) -> None:
    """Without audio sleep only counts: neither keys nor messages are looked at (switch_ivr.c:163)."""
    was_locked, channel.is_locked = channel.is_locked, True
    try:
        await let_pass(channel, duration_ms)
    finally:
        channel.is_locked = was_locked


async def echo(channel: Channel, _data: str) -> None:
    """Send the caller's voice back until something ends it."""
    channel.hears.begin(f"leg:{channel.uuid}", channel.node.clock.monotonic_ms())
    channel.changed()
    await let_pass(channel, None)
    channel.hears.begin(None, channel.node.clock.monotonic_ms())


async def send_dtmf(channel: Channel, data: str) -> None:
    """Queue keys for the far end; they go out while the next thing runs. w is half a second, W a second."""
    send_keys(channel, data)


def send_keys(channel: Channel, text: str) -> None:
    """Send `12w3@200`: keys, pauses, and for how many milliseconds each (switch_core_session_send_dtmf_string)."""
    keys, _, length = text.partition("@")
    length_ms = max(40, int(length)) if length.isdigit() else 250
    at_ms = channel.node.clock.monotonic_ms()
    for key in re.sub(r"[^0-9A-DwW*#,]", "", keys):
        if key in "wW,":
            at_ms += 1000 if key in "W," else 500
            continue
        at_ms += length_ms
        channel.node.clock.call_at_ms(at_ms, lambda key=key: _sent(channel, key))  # type: ignore[misc]
        at_ms += length_ms


def _sent(channel: Channel, key: str) -> None:
    if not channel.is_down:
        channel.digits_sent.append((channel.node.clock.monotonic_ms(), key))
        channel.changed()
