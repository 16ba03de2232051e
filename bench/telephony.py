"""Calls on a real FreeSWITCH: what one costs us and the node, how soon it is answered, how many a second there can be.

Ours: callers ring, the call server fetches a document over HTTP, journals, answers, plays a file of 200 ms, hangs up.
Peers, on a FreeSWITCH of their own with the same configuration: the dialplan (answer, playback, hangup), and a
greenswitch outbound application (the same, without a webhook). All take turns; a round is 400 calls at 40 a second.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.application import WAV, XML, running_application
from bench.callers import Load, call, sipp
from bench.measurement import Measurement, compared, print_all, quantile
from bench.media_nodes import RealNode, running_greenswitch, running_node, write_tone
from bench.node import NUMBER, PASSWORD
from bench.platform import CallServers, DatabaseServer, running_call_servers, running_database
from bench.processes import cpu_s_of
from controlplane.cli.ports import free_port

DIALPLAN_NUMBER, GREENSWITCH_NUMBER = "+15550003333", "+15550004444"
TONE_MS = 200
PER_S, CALLS, ROUNDS = 40.0, 400, int(os.environ.get("BENCH_ROUNDS", "3"))
WARM_CALLS = 40
STEPS_PER_S = (40, 55, 70, 85, 100, 120, 140, 165, 195, 230)
STEP_S = 8
MOST_FAILED = 0.001


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round took. CPU times are milliseconds a call."""

    load: Load
    node_ms: float
    control_ms: float
    database_ms: float


@dataclass(frozen=True, slots=True)
class Side:
    """One way to serve calls: its node and number, and the CPU seconds that its control and its database have taken."""

    name: str
    node: RealNode
    number: str
    control_cpu_s: Callable[[], float]
    database_cpu_s: Callable[[], float]

    async def round(self, calls: int, per_s: float) -> Cost:
        """Serve some calls."""
        await self.node.until_idle()
        before = self.node.cpu_s(), self.control_cpu_s(), self.database_cpu_s()
        load = await call(self.node.node, self.number, calls=calls, per_s=per_s)
        after = self.node.cpu_s(), self.control_cpu_s(), self.database_cpu_s()
        return Cost(load, *((now - then) * 1000 / calls for now, then in zip(after, before, strict=True)))


def measure() -> Iterator[Measurement]:
    """All of the above."""
    sipp()
    yield from asyncio.run(_all())


async def _all() -> list[Measurement]:
    async with sides() as (ours, dialplan, greenswitch):
        for side in (ours, dialplan, greenswitch):
            await side.round(WARM_CALLS, PER_S)
        rounds = [[await side.round(CALLS, PER_S) for side in (ours, dialplan, greenswitch)] for _ in range(ROUNDS)]
        found = await _most_per_s(ours, dialplan)
    by_side = list(zip(*rounds, strict=True))
    return [*_costs(*by_side), *_answered(*by_side), *found]


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
    failed = [sum(cost.load.failed for cost in costs) / sum(cost.load.calls for cost in costs) for costs in by_side]
    yield Measurement("failed_calls_at_40_per_s", failed[0], "part", "its own dialplan", failed[1], aim="0")


def _answered(*by_side: tuple[Cost, ...]) -> Iterator[Measurement]:
    own, dialplan, green = by_side
    for name, part in (("p50", 0.5), ("p99", 0.99)):
        times = [[quantile(cost.load.answered_ms, part) for cost in costs] for costs in (own, dialplan, green)]
        aims = "peer + 25 ms + the webhook's own time, or less", None
        for peer, theirs, aim in zip(("its own dialplan", "greenswitch application"), times[1:], aims, strict=True):
            pairs = list(zip(times[0], theirs, strict=True))
            yield compared(f"invite_to_200_at_40_per_s_{name}", "ms", pairs, peer, aim)


async def _most_per_s(ours: Side, dialplan: Side) -> list[Measurement]:
    """Climb until both fail; the last step with fewer than 0.1 % failed counts."""
    most = {ours.name: 0.0, dialplan.name: 0.0}
    climbing = [ours, dialplan]
    for per_s in STEPS_PER_S:
        for side in list(climbing):
            if await _holds(side, per_s):
                most[side.name] = per_s
            else:
                climbing.remove(side)
    value, peer_value = most[ours.name], most[dialplan.name]
    aim = "ratio 0.85 or more"
    ratio = value / peer_value if peer_value else None
    return [
        Measurement("calls_per_s_below_0.1_percent_failed", value, "calls/s", dialplan.name, peer_value, ratio, aim=aim)
    ]


async def _holds(side: Side, per_s: int) -> bool:
    calls = per_s * STEP_S
    cost = await side.round(calls, per_s)
    return cost.load.failed_part < MOST_FAILED and cost.load.took_s < STEP_S * 1.25 + 1


@asynccontextmanager
async def sides() -> AsyncIterator[tuple[Side, Side, Side]]:
    """Callplane, the dialplan, and greenswitch, while the block runs."""
    async with AsyncExitStack() as stack:
        folder, database = stack.enter_context(running_database())
        tone, port = folder / "tone.wav", free_port()
        pages = {"/flow": (XML, BODY), "/tone.wav": (WAV, write_tone(tone, TONE_MS))}
        application = stack.enter_context(running_application(pages))
        node = await stack.enter_async_context(running_node(folder, "ours"))
        other = await stack.enter_async_context(running_node(folder, "peer", dialplan=_dialplan(tone, port)))
        green_pid = await stack.enter_async_context(running_greenswitch(port, tone))
        flows = {NUMBER: f"{application.url}/flow"}
        running = running_call_servers(folder, database, node.address, PASSWORD, flows)
        servers = await stack.enter_async_context(running)
        yield (
            _ours(node, servers, database),
            Side("its own dialplan", other, DIALPLAN_NUMBER, lambda: 0.0, lambda: 0.0),
            Side("greenswitch", other, GREENSWITCH_NUMBER, lambda: cpu_s_of(green_pid), lambda: 0.0),
        )


BODY = b"<Response><Play>/tone.wav</Play><Hangup/></Response>"


def _ours(node: RealNode, servers: CallServers, database: DatabaseServer) -> Side:
    return Side("Callplane", node, NUMBER, servers.cpu_s, database.cpu_s)


def _dialplan(tone: Path, port: int) -> dict[str, tuple[tuple[str, str], ...]]:
    return {
        DIALPLAN_NUMBER: (("answer", ""), ("playback", str(tone)), ("hangup", "")),
        GREENSWITCH_NUMBER: (("socket", f"127.0.0.1:{port} async full"),),
    }


if __name__ == "__main__":
    print_all(measure())
