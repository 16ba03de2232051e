"""What a sound's name means: which parts it has and how long each lasts. Audio without samples."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from controlplane.emulator.hearing import SILENCE

_TONE = re.compile(r"%\(([^)]*)\)")
_VARIABLES = re.compile(r"\A\{[^}]*\} *")


@dataclass(frozen=True, slots=True)
class Sound:
    """One part: `what` as in Heard; `duration_ms` None for one without end."""

    what: str
    duration_ms: int | None


def parts_of(name: str) -> list[Sound] | None:
    """The parts of a sound by its FreeSWITCH name (path, tone_stream://, silence_stream://, file_string://…).

    None if there is no such sound: FILE NOT FOUND. A file_string leaves out parts that are not there
    (mod_dptools.c, next_file) and is not found if none is.
    """
    name = _VARIABLES.sub("", name)
    scheme, mark, rest = name.partition("://")
    if not mark:
        part = _file(name)
        return None if part is None else [part]
    match scheme:
        case "file_string":
            parts = [part for one in rest.split("!") for part in parts_of(one) or []]
            return parts or None
        case "silence_stream":
            return [_silence(rest)]
        case "tone_stream":
            return [Sound(f"tone:{rest}", _tone_ms(rest))]
        case "local_stream":
            return [Sound(f"music:{rest}", None)]
    return None


def _silence(rest: str) -> Sound:
    length = rest.partition(",")[0]
    return Sound(SILENCE, None if int(length) < 0 else int(length))


def _tone_ms(script: str) -> int | None:
    """How long a tone script lasts (libteletone): on and off times, `L=` repeats a tone, `loops=` the whole."""
    loops = re.search(r"loops=(-?\d+)", script)
    if loops and int(loops[1]) < 0:
        return None
    total_ms = repeats = 0
    for piece in re.split(r";", script):
        if piece.startswith("L="):
            repeats = int(piece[2:])
        if tone := _TONE.search(piece):
            numbers = tone[1].split(",")
            total_ms += (int(float(numbers[0])) + int(float(numbers[1] or 0))) * max(1, repeats)
            repeats = 0
    return total_ms * (int(loops[1]) if loops else 1)


def _file(name: str) -> Sound | None:
    path = name.partition("@@")[0]
    try:
        stat = os.stat(path)
    except (OSError, ValueError):
        return None
    duration_ms = _wav_ms(path, stat.st_mtime_ns, stat.st_size)
    return None if duration_ms is None else Sound(path, duration_ms)


@lru_cache(maxsize=4096)
def _wav_ms(path: str, _changed_ns: int, size_bytes: int) -> int | None:
    """How long a WAV file lasts, from its header; None if it is none. Other formats are not known here."""
    with Path(path).open("rb") as file:
        head = file.read(4096)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, bytes_per_s = 12, 0
    while at + 8 <= len(head):
        chunk, length = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if chunk == b"fmt ":
            bytes_per_s = int.from_bytes(head[at + 16 : at + 20], "little")
        if chunk == b"data":
            length = min(length, size_bytes - at - 8)
            return length * 1000 // bytes_per_s if bytes_per_s else None
        at += 8 + length + length % 2
    return None
