"""Calls for a long time, and whether anything grows: `python -m bench.soak --minutes 30 --rate 50 --json`.

Callers (SIPp, a real FreeSWITCH) ring at one pace, without `--rate` at 70 % of what is found to be possible here. Each
is answered, hears a file, is asked for a key that it does not press, hears a sentence, and is hung up on; the
application is told of every event. What our processes hold is looked at after a warm-up (a minute, or a tenth of the
time asked for) and at the end, with no call there, and every minute between; bench/growth.py says what may have grown.
It ends by itself, with status 1 if something grew or a call failed, 2 if it cannot be done here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass

from bench.application import WAV, XML, running_application
from bench.callers import call, sipp
from bench.growth import MB, State, bytes_per_call, growth
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
WARM_S, WARM_PART, REST_S = 60.0, 0.1, 8.0  # the warm-up: so long at least, and such a part of what is asked for
_IN_FLIGHT = """
    SELECT (SELECT count(*) FROM calls WHERE ended_at IS NULL),
           (SELECT count(*) FROM deliveries WHERE state = 'pending'),
           (SELECT count(*) FROM recordings WHERE state IN ('in-progress', 'processing')),
           (SELECT count(*) FROM control_requests WHERE state = 'asked')
"""


@dataclass(frozen=True, slots=True)
class Soaked:
    """What runs."""

    node: RealNode
    servers: CallServers
    database: DatabaseServer
    metrics_port: int
    began_s: float

    async def state(self, calls: int) -> State:
        """Look at everything, after so many calls."""
        (pid,), worker = self.servers.pids.values(), self.servers.worker_pid
        async with NodeLink(self.node.node) as link:
            channels = (await link.ask(line("api", "show channels count"))).text.split()
        rows = await asyncio.to_thread(self.database.ask, _IN_FLIGHT)
        return State(
            at_s=round(time.monotonic() - self.began_s, 1),
            calls=calls,
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

    async def idle_state(self, calls: int) -> State:
        """The same when no call is left and everything was told, or a minute has passed."""
        for _ in range(60):
            await asyncio.sleep(1)
            state = await self.state(calls)
            if not state.channels and not state.rows:
                break
        await asyncio.sleep(REST_S)
        return await self.state(calls)


async def soak(minutes: float, rate: float | None, *, is_json: bool) -> int:
    """Do it; answers the exit status."""
    per_s = rate or PART_OF_FOUND * await found_calls_per_s()
    async with running() as soaked:
        warm_s = max(WARM_S, WARM_PART * minutes * 60)
        await call(soaked.node.node, NUMBER, calls=round(per_s * warm_s), per_s=per_s)
        states = [await soaked.idle_state(0)]
        _tell("start", states[0], is_json=is_json)
        began_s, wanted = time.monotonic(), round(per_s * minutes * 60)
        calling = asyncio.create_task(call(soaked.node.node, NUMBER, calls=wanted, per_s=per_s), name="callers")
        while not (await asyncio.wait({calling}, timeout=60))[0]:
            made = min(wanted, round(per_s * (time.monotonic() - began_s)))
            states.append(await soaked.state(made))
            _tell("minute", states[-1], is_json=is_json)
        load = await calling
        states.append(await soaked.idle_state(wanted))
        _tell("end", states[-1], is_json=is_json)
    problems = list(growth(states, load))
    told = {
        "calls": load.calls, "failed": load.failed, "rate": per_s, "minutes": minutes,
        "bytes_per_call": bytes_per_call(states), "problems": problems,
    }  # fmt: skip
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
    return round(memory_bytes_of(pid) / MB, 2)


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
