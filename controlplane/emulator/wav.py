"""Sound files of what was heard: 8 kHz, 16 bits, one or two channels. A voice is a tone."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from controlplane.emulator.hearing import SILENCE, Heard

_BYTES_PER_MS = 16
_VOICE_HZ, _SOUND_HZ = 400, 800
_PERIOD_MS = 10

# How to find what another party said: its UUID in, its voice out.
Voices = Callable[[str], Sequence[Heard]]


def write_wav(path: str, tracks: Sequence[bytes]) -> int:
    """Write tracks of equal length, one a channel; answers the file's size in bytes. Raises OSError."""
    if len(tracks) == 1:
        frames = tracks[0]
    else:
        left, right = (memoryview(track).cast("h") for track in tracks)
        mixed = bytearray(len(tracks[0]) * 2)
        view = memoryview(mixed).cast("h")
        view[0::2], view[1::2] = left, right
        frames = bytes(mixed)
    with wave.open(path, "wb") as file:
        file.setnchannels(len(tracks))
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(frames)
    return Path(path).stat().st_size


def mix(*tracks: bytes) -> bytes:
    """Lay tracks of equal length over each other; where two sound, the first is heard."""
    mixed = bytearray(tracks[0])
    for track in tracks[1:]:
        for at in range(0, len(mixed), _BYTES_PER_MS):
            if not any(mixed[at : at + _BYTES_PER_MS]):
                mixed[at : at + _BYTES_PER_MS] = track[at : at + _BYTES_PER_MS]
    return bytes(mixed)


def track_of(items: Sequence[Heard], from_ms: int, to_ms: int, voices: Voices) -> bytes:
    """The samples of what was heard between two times; a leg's voice is looked up in `voices`."""
    track = bytearray((to_ms - from_ms) * _BYTES_PER_MS)
    for item in items:
        begin_ms, end_ms = max(item.from_ms, from_ms), min(item.to_ms, to_ms)
        if begin_ms >= end_ms or item.what == SILENCE:
            continue
        if item.what.startswith("leg:"):
            samples = track_of(voices(item.what[4:]), begin_ms, end_ms, lambda _uuid: ())
        else:
            samples = _sound(item.what, begin_ms - item.from_ms, end_ms - begin_ms)
        at = (begin_ms - from_ms) * _BYTES_PER_MS
        track[at : at + len(samples)] = samples
    return bytes(track)


def _sound(what: str, skip_ms: int, length_ms: int) -> bytes:
    if what.startswith("/") and (frames := _frames_of(what)):
        part = frames[skip_ms * _BYTES_PER_MS : (skip_ms + length_ms) * _BYTES_PER_MS]
        return part.ljust(length_ms * _BYTES_PER_MS, b"\0")
    period = _period(_VOICE_HZ if what.startswith("say:") else _SOUND_HZ)
    return (period * (length_ms // _PERIOD_MS + 1))[: length_ms * _BYTES_PER_MS]


@lru_cache(maxsize=8)
def _period(frequency_hz: int) -> bytes:
    count = 8 * _PERIOD_MS
    return struct.pack(
        f"<{count}h", *(int(8000 * math.sin(2 * math.pi * frequency_hz * at / 8000)) for at in range(count))
    )


def _frames_of(path: str) -> bytes:
    """The samples of a sound file if they are of our kind, else nothing."""
    try:
        with wave.open(path, "rb") as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, 8000):
                return b""
            return file.readframes(file.getnframes())
    except (OSError, wave.Error, EOFError):
        return b""
