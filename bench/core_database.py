"""What it costs a call that its node keeps what another needs to go on with it: the core database in PostgreSQL.

Two FreeSWITCH with the same dialplan (answer, a file of 200 ms, hang up) and no call server, one with its core database
in PostgreSQL and calls tracked, one with FreeSWITCH's own file. They take turns; a round is 400 calls at 40 a second.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from bench.callers import call, sipp
from bench.measurement import Measurement, Skipped, compared, print_all, quantile
from bench.media_nodes import RealNode, running_node, write_tone
from bench.platform import DatabaseServer, running_database
from bench.sameness import why_not_served
from bench.sides import DIALPLAN_NUMBER, Cost

TONE_MS = 200
PER_S, CALLS, ROUNDS = 40.0, 400, int(os.environ.get("BENCH_ROUNDS", "3"))
WARM_CALLS = 40
PEER = "the same node with its core database in a file"


def measure() -> Iterator[Measurement]:
    """CPU time of FreeSWITCH and of PostgreSQL, and how soon calls are answered. Raises Skipped."""
    sipp()
    yield from asyncio.run(_all())


async def _all() -> list[Measurement]:
    with running_database() as (folder, database):
        database.execute("CREATE DATABASE core_kept")
        tone = folder / "tone.wav"
        write_tone(tone, TONE_MS)
        dialplan = {DIALPLAN_NUMBER: (("answer", ""), ("playback", str(tone)), ("hangup", ""))}
        url = f"{database.url.rpartition('/')[0]}/core_kept"
        async with (
            running_node(folder, "kept", dialplan=dialplan, core_database=url) as kept,
            running_node(folder, "plain", dialplan=dialplan) as plain,
        ):
            for node in (kept, plain):
                await _round(node, database, WARM_CALLS)
            rounds = [[await _round(node, database, CALLS) for node in (kept, plain)] for _ in range(ROUNDS)]
    if unlike := [cost.unlike for costs in rounds for cost in costs if cost.unlike]:
        raise Skipped(f"not the same was done: {unlike[0]}")
    return [*_compared(rounds)]


async def _round(node: RealNode, database: DatabaseServer, calls: int) -> Cost:
    await node.until_idle()
    before = node.cpu_s(), database.cpu_s()
    load = await call(node.node, DIALPLAN_NUMBER, calls=calls, per_s=PER_S)
    await node.until_idle()
    node_ms, database_ms = (
        (now - then) * 1000 / calls for now, then in zip((node.cpu_s(), database.cpu_s()), before, strict=True)
    )
    return Cost(load, node_ms, 0.0, database_ms, why_not_served(load, file_ms=TONE_MS))


def _compared(rounds: list[list[Cost]]) -> Iterator[Measurement]:
    pairs = [(kept.node_ms, plain.node_ms) for kept, plain in rounds]
    yield compared("core_database_freeswitch_cpu_per_call", "ms", pairs, PEER)
    pairs = [(kept.node_ms + kept.database_ms, plain.node_ms) for kept, plain in rounds]
    yield compared("core_database_freeswitch_and_database_cpu_per_call", "ms", pairs, PEER)
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        times = [(quantile(a.load.answered_ms, part), quantile(b.load.answered_ms, part)) for a, b in rounds]
        yield compared(f"core_database_invite_to_200_{name}", "ms", times, PEER)
    failed = [sum(costs[side].load.failed for costs in rounds) / (CALLS * ROUNDS) for side in (0, 1)]
    yield Measurement("core_database_failed_calls", failed[0], "part", PEER, failed[1], aim="0")


if __name__ == "__main__":
    print_all(measure())
