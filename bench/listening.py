"""What a caller hears: audio by RTP to a UDP port that we read.

The tones are those of `media_nodes.write_tone`: each begins high and ends low, so that they can be counted however
close they follow each other. The time of a packet is what its RTP timestamp says (FreeSWITCH's goes on while nothing is
sent), which no other program on the machine can delay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bench.sameness import PACKET_MS

SAMPLES_PER_MS = 8
MOST_OFF = 0.05  # how much of the loud part may be missing, or too much
_HEAD_BYTES = 12  # of an RTP packet without extensions (RFC 3550, 5.1)
_QUIET = frozenset(range(0x70, 0x80)) | frozenset(range(0xF0, 0x100))  # PCMU: the softest sixteenth, of either sign
_POSITIVE = 0x80  # PCMU's sign
_HIGH_FROM_HZ = 750


@dataclass(frozen=True, slots=True)
class Loud:
    """A packet that is loud for the most part: its RTP timestamp, in samples of 8 kHz, and of which note it is."""

    at: int
    is_high: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """From the first loud packet to the end of the last: how many tones, how much of it was loud, all of it."""

    tones: int
    loud_ms: float
    whole_ms: float

    def why_not(self, tones: int, tone_ms: float) -> str | None:
        """Why these are not so many tones of this length; None if they are."""
        if self.tones != tones:
            return f"{self.tones} tones were heard, not {tones}"
        if abs(self.loud_ms - tones * tone_ms) > tones * tone_ms * MOST_OFF:
            return f"{self.loud_ms:g} ms of tones were heard, not {tones * tone_ms:g}"
        return None


@dataclass(slots=True)
class Ear(asyncio.DatagramProtocol):
    """Takes what is sent to it."""

    loud: list[Loud] = field(default_factory=list)

    def datagram_received(self, data: bytes, _: object) -> None:
        payload = data[_HEAD_BYTES:]
        if sum(byte not in _QUIET for byte in payload) * 2 > len(payload):
            changes = sum((one ^ other) & _POSITIVE != 0 for one, other in pairwise(payload))
            hz = changes * 1000 * SAMPLES_PER_MS / 2 / len(payload)
            self.loud.append(Loud(int.from_bytes(data[4:8], "big"), hz >= _HIGH_FROM_HZ))


def heard(loud: Sequence[Loud]) -> Heard:
    """Count; the packets are of one call, in the order in which they came."""
    if not loud:
        return Heard(0, 0.0, 0.0)
    tones = int(loud[0].is_high) + sum(later.is_high and not before.is_high for before, later in pairwise(loud))
    whole_ms = ((loud[-1].at - loud[0].at) % (1 << 32)) / SAMPLES_PER_MS + PACKET_MS
    return Heard(tones, len(loud) * PACKET_MS, whole_ms)
