"""Calls on a real FreeSWITCH: what one costs us and the node, how soon it is answered, how many a second there can be.

Ours: callers ring, the call server fetches a document over HTTP, journals, answers, plays a file of 200 ms, hangs up.
Peers, on a FreeSWITCH of their own with the same configuration: the dialplan (answer, playback, hangup), and a
greenswitch outbound application (the same, without a webhook). All take turns; a round is 400 calls at 40 a second.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator

from bench.callers import sipp
from bench.measurement import Measurement, Skipped, compared, print_all, quantile
from bench.sides import Cost, Side, sides

TONE_MS = 200
BODY = b"<Response><Play>/tone.wav</Play><Hangup/></Response>"
PER_S, CALLS, ROUNDS = 40.0, 400, int(os.environ.get("BENCH_ROUNDS", "3"))
WARM_CALLS, TRIES = 40, 3
STEPS_PER_S = (40, 55, 70, 85, 100, 120, 140, 165, 195, 230, 270, 320, 380, 450, 530, 640, 760, 900)
STEP_S = 8
MOST_FAILED = 0.001


def measure() -> Iterator[Measurement]:
    """All of the above."""
    sipp()
    yield from asyncio.run(_all())


async def _all() -> list[Measurement]:
    async with sides(BODY, TONE_MS, 1) as (ours, dialplan, greenswitch):
        for side in (ours, dialplan, greenswitch):
            await side.round(WARM_CALLS, PER_S)
        rounds = [[await _served(side) for side in (ours, dialplan, greenswitch)] for _ in range(ROUNDS)]
        found = await _compared_per_s(ours, dialplan)
    by_side = list(zip(*rounds, strict=True))
    return [*_costs(*by_side), *_answered(*by_side), *found]


async def _served(side: Side) -> Cost:
    """A round in which every call was served: what is refused costs next to nothing, and flatters who refuses."""
    for _ in range(TRIES):
        cost = await side.round(CALLS, PER_S)
        if not cost.load.failed and not cost.unlike:
            return cost
    why = cost.unlike or f"{cost.load.failed} of {CALLS} calls failed"
    raise Skipped(f"{side.name}: {why}, the last of {TRIES} times")


def _costs(*by_side: tuple[Cost, ...]) -> Iterator[Measurement]:
    own, dialplan, green = by_side
    peer = "greenswitch application without a webhook"
    control = [(a.control_ms, b.control_ms) for a, b in zip(own, green, strict=True)]
    yield compared("control_cpu_per_call", "ms", control, peer, "ratio 1 or less")
    both = [(a.control_ms + a.database_ms, b.control_ms) for a, b in zip(own, green, strict=True)]
    yield compared("control_and_database_cpu_per_call", "ms", both, peer)
    node = [(a.node_ms, b.node_ms) for a, b in zip(own, dialplan, strict=True)]
    yield compared("freeswitch_cpu_per_call", "ms", node, "its own dialplan", "ratio 1.2 or less")
    node = [(a.node_ms, b.node_ms) for a, b in zip(own, green, strict=True)]
    yield compared("freeswitch_cpu_per_call", "ms", node, "greenswitch application")


def _answered(*by_side: tuple[Cost, ...]) -> Iterator[Measurement]:
    own, dialplan, green = by_side
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        times = [[quantile(cost.load.answered_ms, part) for cost in costs] for costs in (own, dialplan, green)]
        aims = "peer + 25 ms + the webhook's own time, or less", None
        for peer, theirs, aim in zip(("its own dialplan", "greenswitch application"), times[1:], aims, strict=True):
            pairs = list(zip(times[0], theirs, strict=True))
            yield compared(f"invite_to_200_at_40_per_s_{name}", "ms", pairs, peer, aim)


async def found_calls_per_s() -> float:
    """How many calls a second Callplane serves here with fewer than 0.1 % failed."""
    async with sides(BODY, TONE_MS, 1) as (ours, *_):
        await ours.round(WARM_CALLS, PER_S)
        return (await _most_per_s(ours))[ours.name]


async def _compared_per_s(ours: Side, dialplan: Side) -> list[Measurement]:
    most = await _most_per_s(ours, dialplan)
    value, peer_value = most[ours.name], most[dialplan.name]
    ratio = value / peer_value if peer_value else None
    if STEPS_PER_S[-1] in (value, peer_value):
        why = f"{STEPS_PER_S[-1]} calls a second were not too many: nobody knows how many would be"
        print(f"telephony: {why}", file=sys.stderr, flush=True)
        return []
    name, aim = "calls_per_s_below_0.1_percent_failed", "ratio 0.85 or more"
    return [Measurement(name, value, "calls/s", dialplan.name, peer_value, ratio, aim=aim)]


async def _most_per_s(*climbing: Side) -> dict[str, float]:
    """Climb until all fail, in turn; of each the last step with fewer than 0.1 % failed counts."""
    most = {side.name: 0.0 for side in climbing}
    for per_s in STEPS_PER_S:
        climbing = tuple([side for side in climbing if await _holds(side, per_s)])
        most |= {side.name: float(per_s) for side in climbing}
    return most


async def _holds(side: Side, per_s: int) -> bool:
    calls = per_s * STEP_S
    cost = await side.round(calls, per_s)
    if cost.unlike:
        print(f"{side.name} at {per_s} calls a second: {cost.unlike}", file=sys.stderr, flush=True)
    return not cost.unlike and cost.load.failed_part < MOST_FAILED and cost.load.took_s < STEP_S * 1.25 + 1


if __name__ == "__main__":
    print_all(measure())
