"""RTP (RFC 3550) with µ-law audio (ITU-T G.711) and keys (RFC 4733): 8,000 samples a second, 20 ms a packet."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Samples: TypeAlias = npt.NDArray[np.int16]

RATE_HZ = 8000
FRAME = 160
SILENCE = b"\xff" * FRAME
KEYS = "0123456789*#ABCD"
_HEADER = struct.Struct(">BBHII")
_EVENT = struct.Struct(">BBH")
_VOLUME = 10  # -10 dBm0
_END = 0x80
_LAST_PACKETS = 3  # RFC 4733 §2.5.1.4: the end is told three times


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet, without extensions."""

    payload_type: int
    sequence: int
    timestamp: int
    is_marked: bool
    payload: bytes


def parse_packet(datagram: bytes) -> Packet | None:
    """Read a datagram; None if it is no RTP."""
    if len(datagram) < _HEADER.size or datagram[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, _ = _HEADER.unpack_from(datagram)
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    return Packet(second & 0x7F, sequence, timestamp, bool(second & 0x80), datagram[start:])


def write_packet(packet: Packet, source: int) -> bytes:
    """The datagram; `source` is the stream's SSRC."""
    second = packet.payload_type | (0x80 if packet.is_marked else 0)
    head = _HEADER.pack(0x80, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, source)
    return head + packet.payload


def key_payloads(key: str, duration_ms: int) -> Iterator[bytes]:
    """What is sent for one key, a payload every 20 ms; the end of it three times at once (see `is_end`)."""
    event = KEYS.index(key.upper())
    total = duration_ms * RATE_HZ // 1000
    for duration in range(FRAME, total, FRAME):
        yield _EVENT.pack(event, _VOLUME, duration)
    for _ in range(_LAST_PACKETS):
        yield _EVENT.pack(event, _END | _VOLUME, total)


def is_end(payload: bytes) -> bool:
    """Say whether a payload tells that the key was let go."""
    return bool(payload[1] & _END)


def maybe_key(payload: bytes) -> str | None:
    """The key that a payload tells of; None if it is no key of a telephone."""
    return KEYS[payload[0]] if len(payload) >= _EVENT.size and payload[0] < len(KEYS) else None


def _expanded() -> Samples:
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_LINEAR = _expanded()
_LEVELS = np.sort(_LINEAR[128:])  # positive, 0 first
_CODES = np.argsort(_LINEAR[128:]).astype(np.uint8) + np.uint8(128)


def from_ulaw(data: bytes) -> Samples:
    """Samples of µ-law bytes."""
    return _LINEAR[np.frombuffer(data, np.uint8)]


def to_ulaw(samples: Samples) -> bytes:
    """The nearest µ-law bytes of samples."""
    wide = samples.astype(np.int32)
    middles = (_LEVELS[:-1].astype(np.int32) + _LEVELS[1:]) // 2
    codes = _CODES[np.searchsorted(middles, np.abs(wide))]
    return np.where(wide < 0, codes & 0x7F, codes).astype(np.uint8).tobytes()
