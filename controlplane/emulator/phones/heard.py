"""What came over a network, put on a time line: audio and keys, as a recording of one party's ear.

RTP says in which order packets belong, but not how long nobody sent any; so packets that follow each other are laid end
to end, and a break is as long as it was in our own time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from controlplane.emulator.phones.rtp import FRAME, RATE_HZ, Packet, Samples, from_ulaw, maybe_key
from controlplane.emulator.phones.sdp import PCMU

_SLACK = RATE_HZ // 4  # a reader who comes late by less than this has not missed anything
_MOST_MISORDERED = 100  # packets
_FIRST_ROOM = 30 * RATE_HZ


@dataclass(frozen=True, slots=True)
class HeardKey:
    """A key that was pressed at the other end."""

    at_ms: int
    key: str


@dataclass(slots=True)
class HeardAudio:
    """A growing recording. Times are milliseconds since it began; samples are of 8 kHz."""

    began_s: float
    keys: list[HeardKey] = field(default_factory=list)
    length: int = 0
    packets: int = 0
    _samples: Samples = field(default_factory=lambda: np.zeros(_FIRST_ROOM, np.int16))
    _next_sequence: int | None = None
    _key_since: int | None = None
    _stray: int | None = None  # what would follow a packet that was taken for an old one

    def take(self, packet: Packet, now_s: float) -> None:
        """Put a packet in its place. `now_s` is of the clock of `began_s`."""
        if self._next_sequence is not None and _is_old(packet.sequence, self._next_sequence):
            # Far back, and two in a row: whoever speaks began to count anew without telling us (RFC 3550, A.1).
            is_far = (self._next_sequence - packet.sequence) & 0xFFFF > _MOST_MISORDERED
            is_restarted, self._stray = packet.sequence == self._stray and is_far, packet.sequence + 1 & 0xFFFF
            if not is_restarted:
                return
            self._next_sequence = None
        if packet.payload_type == PCMU:
            self._hear(packet, now_s)
        elif (key := maybe_key(packet.payload)) is not None and packet.timestamp != self._key_since:
            self._key_since = packet.timestamp
            self.keys.append(HeardKey(round((now_s - self.began_s) * 1000), key))
        self._next_sequence = packet.sequence + 1 & 0xFFFF

    def samples(self, start: int = 0, end: int | None = None) -> Samples:
        """A copy of what was heard, from one place to another."""
        return self._samples[start : self.length if end is None else min(end, self.length)].copy()

    def _hear(self, packet: Packet, now_s: float) -> None:
        samples = from_ulaw(packet.payload)
        arrived = round((now_s - self.began_s) * RATE_HZ) - len(samples)
        is_next = self._next_sequence in (None, packet.sequence)
        start = self.length
        if arrived - start > (_SLACK if is_next else FRAME):
            start = arrived
        self._make_room(start + len(samples))
        self._samples[start : start + len(samples)] = samples
        self.length = start + len(samples)
        self.packets += 1

    def _make_room(self, size: int) -> None:
        if size > len(self._samples):
            self._samples = np.concatenate([self._samples, np.zeros(max(size, len(self._samples)), np.int16)])


def _is_old(sequence: int, wanted: int) -> bool:
    return (sequence - wanted) & 0xFFFF >= 0x8000
