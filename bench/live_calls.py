"""How soon a call server answers events, with 100 and with 10,000 calls, and what memory each call takes.

Calls live on a node that only speaks the protocol (peers/switchboard.py), in a process of its own. Each is in a
document of Gathers in which nobody presses a key: an event that one is over, written by the node, asks for the next,
and the time between is taken at the node. Before the next goes out its entry is committed to PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from bench.application import XML, running_application
from bench.measurement import Measurement, Skipped, print_all, quantile
from bench.node import NUMBER, PASSWORD, LeanNode, lean_node
from bench.platform import CallServers, running_call_servers, running_database
from bench.processes import cpu_s_of, memory_bytes_of

FEW, MANY = 100, int(os.environ.get("BENCH_LIVE_CALLS", "10000"))
OFFERED_PER_S = 120
EVERY_S = {FEW: 1.0, MANY: 10.0}
MEASURED_S = {FEW: 10.0, MANY: 25.0}
GATHERS = 60
BODY = b"<Response>" + b'<Gather numDigits="1" timeout="10"/>' * GATHERS + b"<Redirect/></Response>"


def measure() -> Iterator[Measurement]:
    """Times from event to command with few and with many calls; memory of a call."""
    yield from asyncio.run(_all())


async def _all() -> list[Measurement]:
    async with running() as (node, servers):
        await _filled(node, FEW)
        few = await _timed(node, FEW)
        (pid,) = servers.pids.values()
        before_bytes = memory_bytes_of(pid)
        await _filled(node, MANY)
        call_bytes = (memory_bytes_of(pid) - before_bytes) / (MANY - FEW)
        same_pace = await _timed(node, FEW, MANY)
        began_cpu_s = cpu_s_of(pid)
        many = await _timed(node, MANY)
        busy = (cpu_s_of(pid) - began_cpu_s) / MEASURED_S[MANY]
        await node.ask("hang_up")
    p99_few, p99_many = quantile(few, 0.99), quantile(many, 0.99)
    peer = f"{FEW} calls"
    return [
        Measurement("event_to_command_100_calls_p50", quantile(few, 0.5) * 1000, "ms", aim="2 or less"),
        Measurement("event_to_command_100_calls_p99", p99_few * 1000, "ms", aim="10 or less"),
        Measurement("live_calls_memory_each", call_bytes / 1024, "KB", aim="20 or less"),
        Measurement("live_calls_event_to_command_p50", quantile(many, 0.5) * 1000, "ms"),
        Measurement(
            "live_calls_event_to_command_p99", p99_many * 1000, "ms", peer, p99_few * 1000, p99_many / p99_few,
            aim="ratio less than 2",
        ),
        Measurement("live_calls_same_events_p99", quantile(same_pace, 0.99) * 1000, "ms"),
        Measurement("live_calls_core_taken", busy, "cores"),
    ]  # fmt: skip


@asynccontextmanager
async def running(*, count: int = 1, body: bytes = BODY) -> AsyncIterator[tuple[LeanNode, CallServers]]:
    """Everything that calls on a lean node need, while the block runs."""
    async with AsyncExitStack() as stack:
        folder, database = stack.enter_context(running_database())
        application = stack.enter_context(running_application({"/flow": (XML, body)}))
        node = stack.enter_context(lean_node())
        flows = {NUMBER: f"{application.url}/flow"}
        servers = running_call_servers(folder, database, node.address, PASSWORD, flows, count=count)
        yield node, await stack.enter_async_context(servers)


async def _filled(node: LeanNode, count: int) -> None:
    there = await node.ask("fill", count, OFFERED_PER_S)
    if there < count:
        raise Skipped(
            f"only {there} of {count} calls could be begun: the call server refuses them, the machine is busy"
        )


async def _timed(node: LeanNode, calls: int, there: int = 0) -> list[float]:
    """Seconds from an event to the next command of its call; the pace is that of so many calls, whatever is there."""
    every_s = EVERY_S[calls] * (there / calls if there else 1)
    took_s: list[float] = await node.ask("run", MEASURED_S[calls], every_s)
    assert len(took_s) > calls, f"only {len(took_s)} events were answered"
    return took_s


if __name__ == "__main__":
    print_all(measure())
