"""How long a call is nobody's when its call server is killed: from SIGKILL to the next owner's first command for it.

Two call servers share calls that are in a document, on a node that only speaks the protocol and sees both moments.
One is killed, the calls it had are found by the other, a new one is started, and so on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

from bench.live_calls import running
from bench.measurement import Measurement, print_all, quantile

KILLS, CALLS = int(os.environ.get("BENCH_KILLS", "20")), 40
SETTLE_S = 3.5  # until the two share the shards again: whoever came last is given half of them


def measure() -> Iterator[Measurement]:
    """p50 and p95 over all calls that changed their owner."""
    found_s = asyncio.run(_all())
    aim = "300 ms or less"
    yield Measurement("takeover_after_sigkill_p50", quantile(found_s, 0.5) * 1000, "ms", aim=aim)
    yield Measurement("takeover_after_sigkill_p95", quantile(found_s, 0.95) * 1000, "ms", aim=aim)
    yield Measurement("takeover_after_sigkill_worst", max(found_s) * 1000, "ms")
    yield Measurement("takeover_calls", len(found_s), "count")


async def _all() -> list[float]:
    async with running(count=2) as (node, servers):
        await asyncio.sleep(SETTLE_S)
        await node.ask("fill", CALLS, 40.0)
        gone: list[float] = []
        for _ in range(KILLS):
            await node.ask("forget_lost")
            killed_s = await servers.kill(min(servers.pids))
            gone += [at_s - killed_s for at_s in await node.ask("until_found")]
            await servers.start()
            await asyncio.sleep(SETTLE_S)
        left = await node.ask("hang_up")
        assert left == CALLS, f"{left} of {CALLS} calls are left after {KILLS} kills"
        return gone


if __name__ == "__main__":
    print_all(measure())
