"""Frames: pieces of bytes in a file that is only ever added to, and that a crash may have cut off anywhere. Pure.

A frame is a mark (4 bytes), the length of what it holds and a checksum of both (4 bytes each, big-endian), then what it
holds. A file that was cut off ends in a piece of a frame, which nobody was told was safe. Anything else that is no
frame is damage: reading goes on behind it, at the next frame that is whole.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from zlib import crc32

MARK = b"\xf5CPj"
MOST_BYTES = 16 << 20  # in one frame: far above the largest document that is taken
_HEAD = struct.Struct(">4sII")


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a file holds: `held` of its frames in order, `damaged` pieces between them, and where the last frame ends.

    What lies behind `end` was being written when the writer died.
    """

    held: tuple[bytes, ...]
    damaged: tuple[bytes, ...]
    end: int


def frame(held: bytes) -> bytes:
    """Bytes as a frame; raises ValueError for more than MOST_BYTES."""
    if len(held) > MOST_BYTES:
        raise ValueError(f"{len(held)} bytes are too many for one frame")
    return _HEAD.pack(MARK, len(held), _checksum(held)) + held


def scan(data: bytes) -> Scanned:
    """Read a file of frames, however it ends and whatever befell it."""
    held: list[bytes] = []
    damaged: list[bytes] = []
    end = 0
    at = data.find(MARK)
    while at >= 0:
        found = _maybe_held(data, at)
        if found is None:
            at = data.find(MARK, at + 1)
            continue
        if at > end:
            damaged.append(data[end:at])
        held.append(found)
        end = at + _HEAD.size + len(found)
        at = data.find(MARK, end)
    return Scanned(tuple(held), tuple(damaged), end)


def _maybe_held(data: bytes, at: int) -> bytes | None:
    """What the frame holds that begins here, None if none does or it is not whole."""
    if len(data) - at < _HEAD.size:
        return None
    _, length, checksum = _HEAD.unpack_from(data, at)
    start = at + _HEAD.size
    if length > MOST_BYTES or len(data) - start < length:
        return None
    held = data[start : start + length]
    return held if _checksum(held) == checksum else None


def _checksum(held: bytes) -> int:
    return crc32(held, crc32(len(held).to_bytes(4, "big")))
