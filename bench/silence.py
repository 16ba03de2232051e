"""The silence between verbs of a document without branches, against the same list in FreeSWITCH's own dialplan.

A caller's ear: audio goes to a UDP port that we read. The list is ten times a tone of 200 ms, so whatever lies between
the first loud packet and the last, less ten tones, is silence that was added. The time of a packet is what its RTP
timestamp says (FreeSWITCH's goes on while nothing is sent), which no other program on the machine can delay.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.callers import call, sipp
from bench.measurement import Measurement, print_all
from bench.sides import Side, sides

TONE_MS, PLAYS = 200, 10
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PACKET_MS, SAMPLES_PER_MS = 20, 8
BODY = b"<Response>" + b"<Play>/tone.wav</Play>" * PLAYS + b"<Hangup/></Response>"
_HEAD_BYTES = 12  # of an RTP packet without extensions (RFC 3550, 5.1)
_QUIET = frozenset(range(0x70, 0x80)) | frozenset(range(0xF0, 0x100))  # PCMU: the softest sixteenth, of either sign


@dataclass(slots=True)
class Ear(asyncio.DatagramProtocol):
    """RTP timestamps of loud packets, in samples of 8 kHz."""

    loud: list[int] = field(default_factory=list)

    def datagram_received(self, data: bytes, _: object) -> None:
        payload = data[_HEAD_BYTES:]
        if sum(byte not in _QUIET for byte in payload) * 2 > len(payload):
            self.loud.append(int.from_bytes(data[4:8], "big"))


def measure() -> Iterator[Measurement]:
    """Milliseconds of silence between two verbs."""
    sipp()
    yield from asyncio.run(_all())


async def _all() -> list[Measurement]:
    async with sides(BODY, TONE_MS, PLAYS) as (ours, dialplan, _):
        await _silence_ms(ours)
        rounds = [(await _silence_ms(ours), await _silence_ms(dialplan)) for _ in range(ROUNDS)]
    own, theirs = (statistics.median(side) for side in zip(*rounds, strict=True))
    ratio = own / theirs if theirs else None
    return [Measurement("silence_between_verbs", own, "ms", dialplan.name, theirs, ratio, aim="ratio 1.3 or less")]


async def _silence_ms(side: Side) -> float:
    loop = asyncio.get_running_loop()
    transport, ear = await loop.create_datagram_endpoint(Ear, ("127.0.0.1", 0), family=socket.AF_INET)
    port = transport.get_extra_info("sockname")[1]
    try:
        load = await call(side.node.node, side.number, calls=1, per_s=10, ear=port)
    finally:
        transport.close()
    assert load.failed == 0, f"a call by {side.name} failed"
    assert ear.loud, f"nothing was heard of {side.name}"
    heard_ms = ((ear.loud[-1] - ear.loud[0]) % (1 << 32)) / SAMPLES_PER_MS + PACKET_MS
    return (heard_ms - len(ear.loud) * PACKET_MS) / (PLAYS - 1)


if __name__ == "__main__":
    print_all(measure())
