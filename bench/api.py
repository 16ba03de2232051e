"""What a request to the API costs, against an endpoint of FastAPI that does nothing.

Both run as they are run in earnest, each in a process of its own, and are asked over kept connections, in turn. A rate
is what one core of the API's process is worth: requests divided by the CPU time that the process took for them.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from bench.measurement import Measurement, compared, print_all, quantile
from controlplane.base.ids import AccountId
from controlplane.services.accounts import create_account
from controlplane.services.numbers import add_number
from controlplane.services.place_call import Placing, place_call
from controlplane.settings import Settings
from controlplane.store import embedded
from controlplane.store.database import Database, Transaction
from controlplane.store.migrate import migrate
from controlplane.verbs.documents import Link
from controlplane.wiring.api import serve_api
from controlplane.wiring.loops import run
from controlplane.wiring.places import vault_of

ROUNDS, CONNECTIONS, REQUESTS, CALLS = 5, 32, 1600, 200
FEWER = {"api_list_50_calls": 320, "api_list_1_call": 960}  # requests of a round, where each takes long
PEER = "FastAPI endpoint that does nothing"
AIMS = {"api_get_call": "ratio 0.6 or more"}
CALL = {
    "from_number": "+15550001111", "to_number": "+15550002222", "flow_url": "http://app.example.com/flow",
    "status_callback_url": "http://app.example.com/events", "record": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """A process that serves, and where."""

    process: BaseProcess
    port: int

    def cpu_s(self) -> float:
        """CPU time it has taken (proc(5), stat: fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Round:
    """One round: CPU seconds of a request, and how long each took, in seconds."""

    cpu_s: float
    took_s: list[float]


def measure() -> Iterator[Measurement]:
    """Rates of GET a call, list calls and POST a call; how long a POST takes."""
    with tempfile.TemporaryDirectory(prefix="callplane-bench-", ignore_cleanup_errors=True) as folder:
        postgres = embedded.start(Path(folder) / "postgres")
        settings = Settings(data=Path(folder), database_url=SecretStr(postgres.url), metrics_port=0)
        try:
            migrate(postgres.url)
            api_key, calls = run(_fill(settings, postgres.url))
            yield from _compare(settings, api_key, calls)
        finally:
            postgres.stop()


def _compare(settings: Settings, api_key: str, calls: list[str]) -> Iterator[Measurement]:
    turns = itertools.cycle(calls)
    cases: dict[str, Callable[[], bytes]] = {
        "api_get_call": lambda: _request("GET", f"/voice/calls/{next(turns)}", api_key),
        "api_list_1_call": lambda: _request("GET", "/voice/calls?limit=1", api_key),
        "api_list_50_calls": lambda: _request("GET", "/voice/calls", api_key),
        "api_create_call": lambda: _request("POST", "/voice/calls/initiate", api_key, json.dumps(CALL).encode()),
    }
    ours, bare = _start(_serve_ours, settings), _start(_serve_bare)
    try:
        for name, request in cases.items():
            count = FEWER.get(name, REQUESTS)
            rounds = [(_round(ours, request, count), _round(bare, _empty, REQUESTS)) for _ in range(ROUNDS + 1)][1:]
            pairs = [(1 / own.cpu_s, 1 / theirs.cpu_s) for own, theirs in rounds]
            yield compared(name, "requests/s of a core", pairs, PEER, AIMS.get(name))
        yield Measurement("api_create_call_p99", _p99([own for own, _ in rounds]) * 1000, "ms")
    finally:
        for server in (ours, bare):
            server.process.terminate()
            server.process.join()


def _round(server: Server, request: Callable[[], bytes], count: int) -> Round:
    cpu_s, took_s = server.cpu_s(), asyncio.run(_ask_all(server.port, request, count))
    return Round((server.cpu_s() - cpu_s) / len(took_s), took_s)


def _p99(rounds: list[Round]) -> float:
    return quantile([took_s for one in rounds for took_s in one.took_s], 0.99)


async def _ask_all(port: int, request: Callable[[], bytes], count: int) -> list[float]:
    took_s: list[float] = []
    await asyncio.gather(*(_ask(port, request, count // CONNECTIONS, took_s) for _ in range(CONNECTIONS)))
    return took_s


async def _ask(port: int, request: Callable[[], bytes], count: int, took_s: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        began_s = time.perf_counter()
        writer.write(request())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0]))
        took_s.append(time.perf_counter() - began_s)
        assert head[9:10] == b"2", (head, body)
    writer.close()


def _request(method: str, path: str, api_key: str, body: bytes = b"") -> bytes:
    head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: api\r\nx-api-key: {api_key}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + body


def _empty() -> bytes:
    return b"GET /empty HTTP/1.1\r\nHost: api\r\n\r\n"


async def _fill(settings: Settings, url: str) -> tuple[str, list[str]]:
    async with Database(url) as db, db.transaction() as tx:
        made = await create_account(tx, vault_of(settings), "Bench")
        await add_number(tx, made.account_id, "+15550001111")
        return made.api_key, [await _placed(tx, made.account_id) for _ in range(CALLS)]


async def _placed(tx: Transaction, account_id: AccountId) -> str:
    placing = Placing("+15550001111", "+15550002222", document=Link("http://app.example.com/flow"))
    return (await place_call(tx, account_id, placing)).call_id


def _start(serve: Callable[..., None], *arguments: object) -> Server:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()  # so that a process that dies is noticed
    return Server(process, ours.recv())


def _serve_ours(answers: Connection, settings: Settings) -> None:
    run(serve_api(settings, "127.0.0.1", 0, on_ready=lambda facts: answers.send(facts["port"])))


def _serve_bare(answers: Connection) -> None:
    app = FastAPI()

    @app.get("/empty")
    async def empty() -> dict[str, bool]:
        return {"ok": True}

    run(_serve(answers, uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))))


async def _serve(answers: Connection, server: uvicorn.Server) -> None:
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    answers.send(server.servers[0].sockets[0].getsockname()[1])
    await serving


if __name__ == "__main__":
    print_all(measure())
