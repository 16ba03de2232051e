"""All behaviours, each in all uses, on one client in real time; an ordinary call's requests run beside them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr

from controlplane.hooks.client import HookClient
from controlplane.hooks.errors import HookError
from controlplane.hooks.limits import Limits
from controlplane.hooks.messages import DocumentRequest
from controlplane.verbs.documents import Link
from tests.hell.handshakes import HOST
from tests.hell.measuring import Pulse, feeling_the_pulse, forget_peak, memory_bytes, open_files
from tests.hell.table import TABLE, WELL, Behaviour
from tests.hell.uses import USES, Use, uses_of

DEADLINE_S = 0.5
SHORT = Limits(connect_ms=300, read_ms=500, total_ms=500, media_ms=500, retry_pause_ms=20)
AMPLE_S = 10.0  # so that a machine that is busy makes no fast one slow
AMPLE = Limits(connect_ms=5_000, read_ms=10_000, total_ms=10_000, media_ms=10_000, retry_pause_ms=20)
PATIENT = "#ct=5000&rt=10000&tt=10000"  # the neighbour's server is a process that may wait for a core
IDLE_S = 0.03  # until what is said on an idle connection has come


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the server from hell listens for each behaviour; an ordinary server's port; the authority of both."""

    of: Mapping[str, int]
    well: int
    authority: Path


@dataclass(slots=True)
class Ended:
    """How requests to one behaviour ended: each ending, what was beyond the deadline (less the machine's part), seconds
    of CPU in one go, and by how much memory had grown at its peak."""

    endings: list[int | str | None] = field(default_factory=list)
    over_s: float = 0.0
    cpu_s: float = 0.0
    grown_bytes: int = 0


@dataclass(slots=True)
class Run:
    """What came of all. `neighbour` are the problems of the ordinary call, `asked` how often it asked."""

    ended: dict[tuple[str, str], Ended] = field(default_factory=dict)
    neighbour: list[str] = field(default_factory=list)
    asked: int = 0
    files: tuple[int, int] = (0, 0)
    tasks: list[str] = field(default_factory=list)


@contextmanager
def hell(folder: Path) -> Iterator[Ports]:
    """Two processes: the server from hell, and one that is ordinary."""
    with contextlib.ExitStack() as stack:
        folders = [folder / "hell", folder / "well"]
        processes = [stack.enter_context(_process(each)) for each in folders]
        ports = [json.loads(process.stdout.readline()) for process in processes if process.stdout]
        yield Ports(ports[0], ports[1][WELL], folders[0] / "authority.pem")


@contextmanager
def _process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    folder.mkdir()
    command = [sys.executable, "-m", "tests.hell.server", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


async def lookup(host: str) -> list[str]:
    """The names of redirects."""
    match host:
        case "metadata.test":
            return ["169.254.169.254"]
        case "nowhere.test":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return ["127.0.0.1"]


async def run_all(ports: Ports, folder: Path) -> Run:
    """Slow behaviours all at once, fast ones one after another; kept connections are asked again."""
    run, files = Run(), open_files()
    gc.collect()
    gc.freeze()  # else whoever runs when all that was ever imported is looked through has used that time
    async with feeling_the_pulse() as pulse:
        async with client_of(ports, SHORT) as client, neighbour(client, ports.well, run):
            for name, use in uses_of(client, folder).items():
                slow = {one: behaviour for one, behaviour in TABLE.items() if behaviour.is_slow}
                ended = await asyncio.gather(*(_ask_slow(use, _url(ports, *one), pulse) for one in slow.items()))
                run.ended |= {(one, name): each for one, each in zip(slow, ended, strict=True)}
        for name in USES:
            # A client of its own for each: most of these servers are silent when they are asked a second time.
            async with client_of(ports, AMPLE) as client, neighbour(client, ports.well, run):
                use = uses_of(client, folder)[name]
                for one, behaviour in TABLE.items():
                    if not behaviour.is_slow:
                        run.ended[one, name] = await _ask_fast(
                            use, _url(ports, one, behaviour), 2 if behaviour.is_kept else 1, pulse
                        )
    await asyncio.sleep(0.1)  # connections are closed by then
    gc.unfreeze()
    gc.collect()
    run.files = (files, open_files())
    run.tasks = [repr(task) for task in asyncio.all_tasks() - {asyncio.current_task()}]
    return run


def client_of(ports: Ports, limits: Limits) -> HookClient:
    return HookClient(allow_private=True, limits=limits, authorities=ports.authority, lookup=lookup)


def _url(ports: Ports, name: str, behaviour: Behaviour) -> str:
    host = HOST if behaviour.tls else "127.0.0.1"
    return f"{behaviour.scheme}://{host}:{ports.of[name]}/voice"


async def _ask_slow(use: Use, url: str, pulse: Pulse) -> Ended:
    began_s = time.monotonic()
    ending = await use(url)
    over_s = time.monotonic() - began_s - DEADLINE_S
    await pulse.next_beat()
    return Ended([ending], over_s - pulse.taken_s(began_s + DEADLINE_S), pulse.longest_cpu_s(began_s))


async def _ask_fast(use: Use, url: str, times: int, pulse: Pulse) -> Ended:
    forget_peak()
    before, _ = memory_bytes()
    began_s, ended = time.monotonic(), Ended()
    for number in range(times):
        if number:
            await asyncio.sleep(IDLE_S)
        asked_s = time.monotonic()
        ended.endings.append(await use(url))
        ended.over_s = max(ended.over_s, time.monotonic() - asked_s - AMPLE_S)
    ended.grown_bytes = memory_bytes()[1] - before
    await pulse.next_beat()
    ended.cpu_s = pulse.longest_cpu_s(began_s)
    return ended


@asynccontextmanager
async def neighbour(client: HookClient, port: int, run: Run) -> AsyncIterator[None]:
    """An ordinary call of another account, which asks for one document after another while the block runs."""
    asking = asyncio.create_task(_keep_asking(client, port, run))
    try:
        yield
    finally:
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking


async def _keep_asking(client: HookClient, port: int, run: Run) -> None:
    while True:
        run.asked += 1
        url = f"http://127.0.0.1:{port}/call/{run.asked}{PATIENT}"
        request = DocumentRequest(Link(url), (("CallSid", str(run.asked)),), SecretStr("1"), "t", lane="neighbour")
        try:
            fetched = await client.fetch_document(request)
        except HookError as error:
            run.neighbour.append(f"request {run.asked}: {error}")
        else:
            if fetched.body != b"<Response><!-- /call/%d --></Response>" % run.asked:
                run.neighbour.append(f"request {run.asked} was answered {fetched.body!r}")
        await asyncio.sleep(0.02)
