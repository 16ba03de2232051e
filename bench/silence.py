"""The silence between verbs of a document without branches, against the same list in FreeSWITCH's own dialplan.

The list is ten times a tone of 200 ms, so whatever lies between the first loud packet and the last, less ten tones, is
silence that was added. All ten must have been heard: fewer have less between them.
"""

from __future__ import annotations

import asyncio
import os
import socket
import statistics
from collections.abc import Iterator

from bench.callers import call, sipp
from bench.listening import Ear, heard
from bench.measurement import Measurement, print_all
from bench.sides import Side, sides

TONE_MS, PLAYS = 200, 10
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
BODY = b"<Response>" + b"<Play>/tone.wav</Play>" * PLAYS + b"<Hangup/></Response>"


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
    tones = heard(ear.loud)
    if why := tones.why_not(PLAYS, TONE_MS):
        raise AssertionError(f"of {side.name} {why}")
    return (tones.whole_ms - tones.loud_ms) / (PLAYS - 1)


if __name__ == "__main__":
    print_all(measure())
