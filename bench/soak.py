"""Calls for a long time, and whether anything grows: `python -m bench.soak --minutes 30 --rate 50 --json`.

Callers (SIPp, a real FreeSWITCH) ring at one pace, without `--rate` at 70 % of what is found to be possible here. Each
is answered, hears a file, is asked for a key that it does not press, hears a sentence, and is hung up on; the
application is told of every event. What our processes hold is looked at before and after, with no call there, and every
minute between.
It ends by itself, with status 1 if something grew or a call failed, 2 if it cannot be done here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass

from bench.application import WAV, XML, running_application
from bench.callers import Load, call, sipp
from bench.measurement import Skipped
from bench.media_nodes import RealNode, running_node, write_tone
from bench.node import NUMBER, PASSWORD
from bench.platform import CallServers, DatabaseServer, running_call_servers, running_database
from bench.processes import descriptors_of, memory_bytes_of, threads_of
from bench.telephony import found_calls_per_s
from controlplane.cli.freeswitch import NodeLink
from controlplane.cli.ports import free_port
from controlplane.esl.commands import line

BODY = (
    b'<Response><Play>/tone.wav</Play><Gather numDigits="1" timeout="1"><Say>Press a key.</Say></Gather>'
    b"<Say>Thank you for calling.</Say><Hangup/></Response>"
)
PART_OF_FOUND = 0.7
WARM_S, REST_S = 60.0, 8.0
MOST_FAILED = 0.001
MB = 1024 * 1024
# What may be there at the end beyond what was there after the warm-up: a connection that is kept, or one of a pool.
# What leaks with every call is thousands by then.
MORE_MEMORY_PART, MORE_MEMORY_MB, MORE_DESCRIPTORS, MORE_THREADS, MORE_TASKS = 0.1, 10.0, 15, 2, 10
# FreeSWITCH's own pools and its arenas, one a core and some, go on filling for a while whoever drives it.
MORE_NODE_MEMORY_PART, MORE_NODE_MEMORY_MB = 0.25, 32.0
_IN_FLIGHT = """
    SELECT (SELECT count(*) FROM calls WHERE ended_at IS NULL),
           (SELECT count(*) FROM deliveries WHERE state = 'pending'),
           (SELECT count(*) FROM recordings WHERE state IN ('in-progress', 'processing')),
           (SELECT count(*) FROM control_requests WHERE state = 'asked')
"""


@dataclass(frozen=True, slots=True)
class State:
    """What is held at one moment. Rows are those of calls, deliveries, recordings and requests that are not through."""

    at_s: float
    memory_mb: float
    descriptors: int
    threads: int
    tasks: int
    channels: int
    rows: int
    worker_memory_mb: float
    worker_descriptors: int
    node_memory_mb: float
    node_descriptors: int


@dataclass(frozen=True, slots=True)
class Soaked:
    """What runs."""

    node: RealNode
    servers: CallServers
    database: DatabaseServer
    metrics_port: int
    began_s: float

    async def state(self) -> State:
        """Look at everything."""
        (pid,), worker = self.servers.pids.values(), self.servers.worker_pid
        async with NodeLink(self.node.node) as link:
            channels = (await link.ask(line("api", "show channels count"))).text.split()
        rows = await asyncio.to_thread(self.database.ask, _IN_FLIGHT)
        return State(
            at_s=round(time.monotonic() - self.began_s, 1),
            memory_mb=_mb(pid),
            descriptors=descriptors_of(pid),
            threads=threads_of(pid),
            tasks=await asyncio.to_thread(self._tasks),
            channels=int(channels[0]),
            rows=sum(rows),
            worker_memory_mb=_mb(worker),
            worker_descriptors=descriptors_of(worker),
            node_memory_mb=_mb(self.node.pid),
            node_descriptors=descriptors_of(self.node.pid),
        )

    def _tasks(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return round(float(next(one for one in lines if one.startswith("controlplane_tasks ")).split()[1]))

    async def idle_state(self) -> State:
        """The same when no call is left and everything was told, or a minute has passed."""
        for _ in range(60):
            await asyncio.sleep(1)
            state = await self.state()
            if not state.channels and not state.rows:
                break
        await asyncio.sleep(REST_S)
        return await self.state()


def growth(before: State, after: State, load: Load) -> Iterator[str]:
    """What is wrong, one line each."""
    memory_mb = before.memory_mb * (1 + MORE_MEMORY_PART) + MORE_MEMORY_MB
    worker_mb = before.worker_memory_mb * (1 + MORE_MEMORY_PART) + MORE_MEMORY_MB
    node_mb = before.node_memory_mb * (1 + MORE_NODE_MEMORY_PART) + MORE_NODE_MEMORY_MB
    most = (
        ("memory_mb", after.memory_mb, memory_mb),
        ("worker_memory_mb", after.worker_memory_mb, worker_mb),
        ("node_memory_mb", after.node_memory_mb, node_mb),
        ("descriptors", after.descriptors, before.descriptors + MORE_DESCRIPTORS),
        ("worker_descriptors", after.worker_descriptors, before.worker_descriptors + MORE_DESCRIPTORS),
        ("node_descriptors", after.node_descriptors, before.node_descriptors + MORE_DESCRIPTORS),
        ("threads", after.threads, before.threads + MORE_THREADS),
        ("tasks", after.tasks, before.tasks + MORE_TASKS),
        ("channels", after.channels, 0),
        ("rows", after.rows, 0),
        ("failed_part", load.failed_part, MOST_FAILED),
    )
    yield from (f"{name} is {value:g}, more than {limit:g}" for name, value, limit in most if value > limit)


async def soak(minutes: float, rate: float | None, *, is_json: bool) -> int:
    """Do it; answers the exit status."""
    per_s = rate or PART_OF_FOUND * await found_calls_per_s()
    async with running() as soaked:
        await call(soaked.node.node, NUMBER, calls=round(per_s * WARM_S), per_s=per_s)
        before = await soaked.idle_state()
        _tell("start", before, is_json=is_json)
        calling = asyncio.create_task(
            call(soaked.node.node, NUMBER, calls=round(per_s * minutes * 60), per_s=per_s), name="callers"
        )
        while not (await asyncio.wait({calling}, timeout=60))[0]:
            _tell("minute", await soaked.state(), is_json=is_json)
        load, after = await calling, await soaked.idle_state()
        _tell("end", after, is_json=is_json)
    problems = list(growth(before, after, load))
    told = {"calls": load.calls, "failed": load.failed, "rate": per_s, "minutes": minutes, "problems": problems}
    print(json.dumps(told) if is_json else told, flush=True)
    return 1 if problems else 0


@asynccontextmanager
async def running() -> AsyncIterator[Soaked]:
    """FreeSWITCH, database, one call server, worker and application, while the block runs."""
    async with AsyncExitStack() as stack:
        folder, database = stack.enter_context(running_database())
        pages = {"/flow": (XML, BODY), "/tone.wav": (WAV, write_tone(folder / "tone.wav", 200))}
        application = stack.enter_context(running_application(pages))
        node = await stack.enter_async_context(running_node(folder, "local"))
        port = free_port()
        servers = await stack.enter_async_context(
            running_call_servers(
                folder, database, node.address, PASSWORD, {NUMBER: f"{application.url}/flow"}, count=0,
                webhook_url=f"{application.url}/events",
            )
        )  # fmt: skip
        await servers.start(CALLPLANE_METRICS_PORT=str(port))
        await servers.start_worker()
        yield Soaked(node, servers, database, port, time.monotonic())


def _mb(pid: int) -> float:
    return round(memory_bytes_of(pid) / MB, 1)


def _tell(moment: str, state: State, *, is_json: bool) -> None:
    facts = {"moment": moment, **asdict(state)}
    print(json.dumps(facts) if is_json else "  ".join(f"{name} {value}" for name, value in facts.items()), flush=True)


def main() -> int:
    """Read the arguments and soak."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=None, help="calls per second; 70 %% of what is found without it")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    asked = parser.parse_args()
    try:
        sipp()
        return asyncio.run(soak(asked.minutes, asked.rate, is_json=asked.json))
    except Skipped as reason:
        print(f"soak: cannot be done here: {reason}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
