"""How long a call server that was killed takes to know 1,000 calls of a real FreeSWITCH again.

Callers are legs of FreeSWITCH's own (`null/`, mod_loopback) that are sent to the door and are in a document of one long
pause. The call server is killed and started again; from the open links to the last call resumed, by its own log. The
CPU time is what it took for the start above what it takes without calls.

1,000 legs that say nothing keep 1,000 threads of FreeSWITCH busy, fifty turns a second each: one and a half cores. It
takes them from everybody; here it gives way, as if it were on another machine.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

from bench.application import XML, running_application
from bench.measurement import Measurement, Skipped, print_all, quantile
from bench.media_nodes import RealNode, running_node
from bench.node import NUMBER, PASSWORD
from bench.platform import CallServers, running_call_servers, running_database
from bench.processes import cpu_s_of
from controlplane.cli.freeswitch import NodeLink
from controlplane.esl.commands import line

CALLS, KILLS = int(os.environ.get("BENCH_CHANNELS", "1000")), int(os.environ.get("BENCH_KILLS", "5"))
AT_ONCE = 10
APART_S = 0.5
REST_S = 5.0  # what it sees to once it knows them
BEGUN_S = 15.0  # until a node that gives way has done all that their beginning asks of it
FILLED_WITHIN_S, FOUND_WITHIN_S = 300.0, 60.0
BODY = b'<Response><Pause length="3600"/></Response>'


def measure() -> Iterator[Measurement]:
    """Seconds and CPU time until every call is known again. Raises Skipped."""
    yield from asyncio.run(_all())


async def _all() -> list[Measurement]:
    async with _running() as (node, servers):
        without_s = sum(map(cpu_s_of, servers.pids.values()))
        await _fill(node, servers)
        await asyncio.sleep(BEGUN_S)
        took_s, cpu_s, found = [], [], []
        for _ in range(KILLS):
            await servers.kill(*servers.pids)
            servers.lines.clear()
            name = await servers.start()
            told = await _resynchronised(servers)
            took_s.append(told["took_ms"] / 1000)
            found.append(told["calls"])
            cpu_s.append(cpu_s_of(servers.pids[name]) - without_s)
            await asyncio.sleep(REST_S)
        there = await _channels(node)
    assert there == CALLS, f"{there} of {CALLS} calls are left after {KILLS} kills"
    return [
        Measurement("resynchronised_p50", quantile(took_s, 0.5), "s", aim="2 or less"),
        Measurement("resynchronised_worst", max(took_s), "s", aim="2 or less"),
        Measurement("resynchronised_cpu", quantile(cpu_s, 0.5), "s"),
        Measurement("resynchronised_calls", min(found), "count", aim=str(CALLS)),
    ]


@asynccontextmanager
async def _running() -> AsyncIterator[tuple[RealNode, CallServers]]:
    async with AsyncExitStack() as stack:
        folder, database = stack.enter_context(running_database())
        node = await stack.enter_async_context(running_node(folder, "node", gives_way=True))
        async with NodeLink(node.node) as link:
            if not (await link.ask(line("api", "load mod_loopback"))).text.startswith("+OK"):
                raise Skipped("needs FreeSWITCH's mod_loopback")
        application = stack.enter_context(running_application({"/flow": (XML, BODY)}))
        flows = {NUMBER: f"{application.url}/flow"}
        servers = await stack.enter_async_context(running_call_servers(folder, database, node.address, PASSWORD, flows))
        servers.lines = deque(maxlen=10 * CALLS)
        yield node, servers


async def _fill(node: RealNode, servers: CallServers) -> None:
    """Begin calls until there are as many as wanted; those that are refused are begun again."""
    until_s = asyncio.get_running_loop().time() + FILLED_WITHIN_S
    async with NodeLink(node.node) as link:
        while (missing := CALLS - await _channels(node)) or _driven(servers) < CALLS:
            if asyncio.get_running_loop().time() > until_s:
                raise Skipped(f"{missing} of {CALLS} calls could not be begun: the machine is busy")
            for _ in range(min(missing, AT_ONCE)):
                await link.ask(line("bgapi", f"originate null/caller {NUMBER} XML door"))
            await asyncio.sleep(APART_S)


async def _channels(node: RealNode) -> int:
    async with NodeLink(node.node) as link:
        return int((await link.ask(line("api", "show channels count"))).text.split()[0])


def _driven(servers: CallServers) -> int:
    return sum('"event": "call_taken"' in one for one in servers.lines)


async def _resynchronised(servers: CallServers) -> dict[str, int]:
    """What the call server told when it knew all calls."""
    async with asyncio.timeout(FOUND_WITHIN_S):
        while True:
            told = [json.loads(one.partition(": ")[2]) for one in servers.lines if '"resynchronised"' in one]
            full: list[dict[str, int]] = [one for one in told if one["calls"]]
            if full:
                return full[0]
            await asyncio.sleep(0.05)


if __name__ == "__main__":
    print_all(measure())
