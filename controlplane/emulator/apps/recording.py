"""record, record_session, stop_record_session (switch_ivr_play_say.c, switch_ivr_record_file_event)."""

from __future__ import annotations

import os

from controlplane.emulator.apps.playing import terminating
from controlplane.emulator.channel import FRAME_MS, Channel
from controlplane.emulator.recording import start_recording, stop_recording
from controlplane.emulator.signalling import pre_answer
from controlplane.emulator.thread import Ended, let_pass
from controlplane.emulator.wav import track_of, write_wav

_DEFAULT_SILENCE_S = 3


async def record(channel: Channel, data: str) -> None:
    """`path [limit [threshold [silence seconds]]]`: record the party's voice until a key, silence or the limit.

    A file that cannot be made ends the channel with DESTINATION_OUT_OF_ORDER. A limit counts whole seconds and ends up
    to a second late, as FreeSWITCH compares seconds of the clock.
    """
    path, limit, threshold, silence = ([*data.split(" "), "", "", ""])[:4]
    channel.variables.set("playback_terminator_used", None)
    pre_answer(channel)
    if not channel.is_ready:
        return
    if not os.access(os.path.dirname(path) or ".", os.W_OK):
        channel.hang_up("DESTINATION_OUT_OF_ORDER")
        return
    channel.variables.set("silence_hits_exhausted", "false")
    began_ms = channel.node.clock.monotonic_ms()
    channel.fire("RECORD_START", after=[("Record-File-Path", path)])
    silence_ms = _whole(silence) * 1000 or _DEFAULT_SILENCE_S * 1000
    ended = await _listen(channel, _limit_ms(channel, limit), silence_ms if _whole(threshold) else None)
    _finish(channel, path, began_ms)
    if ended is Ended.GONE and not channel.is_down:
        channel.hang_up("DESTINATION_OUT_OF_ORDER")


def _whole(text: str) -> int:
    text = text.lstrip("+")
    return int(text) if text.isdigit() else 0


def _limit_ms(channel: Channel, limit: str) -> int | None:
    limit_s = _whole(limit)
    return (limit_s + 1) * 1000 - channel.node.clock.now_ms() % 1000 if limit_s else None


async def _listen(channel: Channel, limit_ms: int | None, silence_ms: int | None) -> Ended:
    """Let time pass until the limit, a finishing key, or `silence_ms` of silence in a row."""
    clock, on_digit = channel.node.clock, terminating(channel)
    began_ms = clock.monotonic_ms()
    while True:
        now_ms = clock.monotonic_ms()
        left_ms = None if limit_ms is None else began_ms + limit_ms - now_ms
        quiet_ms = None if silence_ms is None else _quiet_ms(channel, began_ms) + silence_ms - now_ms
        if quiet_ms is not None and quiet_ms <= 0:
            channel.variables.set("silence_hits_exhausted", "true")
            return Ended.TIME
        waits = [one for one in (left_ms, quiet_ms) if one is not None]
        ended = await let_pass(channel, max(FRAME_MS, min(waits)) if waits else None, on_digit)
        if ended is not Ended.TIME or (left_ms is not None and clock.monotonic_ms() >= began_ms + (limit_ms or 0)):
            return ended


def _quiet_ms(channel: Channel, began_ms: int) -> int:
    """Since when the party has been silent; now if it speaks."""
    now_ms = channel.node.clock.monotonic_ms()
    return max([began_ms, *(item.to_ms for item in channel.says.until(now_ms) if item.to_ms > began_ms)])


def _finish(channel: Channel, path: str, began_ms: int) -> None:
    now_ms = channel.node.clock.monotonic_ms()
    length_ms = now_ms - began_ms
    track = track_of(channel.says.until(now_ms), began_ms, now_ms, channel.voice_of)
    size_bytes = write_wav(path, [track])
    channel.variables.update({
        "record_file_size": str(size_bytes), "record_seconds": str(length_ms // 1000), "record_ms": str(length_ms),
        "record_samples": str(length_ms * 8),
    })  # fmt: skip
    channel.fire("RECORD_STOP", after=[("Record-File-Path", path)])


async def record_session(channel: Channel, data: str) -> None:
    """`path [+limit]`: begin to record both directions while other things run."""
    path, _, limit = data.partition(" ")
    start_recording(channel, path, _whole(limit))


async def stop_record_session(channel: Channel, data: str) -> None:
    """End it."""
    stop_recording(channel, data.strip())
