"""Callplane for a measurement: a durable PostgreSQL of its own, call servers as processes, numbers that lead on."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from bench.processes import cpu_s_of, cpu_s_of_database
from controlplane.cli.processes import Child, Supervisor
from controlplane.services.accounts import create_account
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.numbers import add_number, assign_numbers
from controlplane.settings import Settings
from controlplane.store import embedded
from controlplane.store.database import Database
from controlplane.store.migrate import migrate
from controlplane.verbs.documents import Link
from controlplane.wiring.places import vault_of

PROGRAM = (sys.executable, "-m", "controlplane.cli")
LOG = Path(os.environ["BENCH_LOG"]) if "BENCH_LOG" in os.environ else None  # where to keep what processes say
KEY = base64.b64encode(bytes(32)).decode()


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A PostgreSQL that keeps its promises (fsync), and its first process."""

    url: str = field(repr=False)
    postmaster: int

    def ask(self, statement: str) -> Any:
        """The first row of a query."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            return connection.execute(statement.encode()).fetchone()

    def execute(self, statement: str) -> None:
        """Have something done."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def cpu_s(self) -> float:
        """CPU time it has taken."""
        return cpu_s_of_database(self.postmaster)


@dataclass(slots=True)
class CallServers:
    """The running ones by name, with their process ids."""

    environment: Mapping[str, str]
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=200))
    pids: dict[str, int] = field(default_factory=dict)
    worker_pid: int = 0
    _supervisors: dict[str, Supervisor] = field(default_factory=dict)
    _started: int = 0

    def cpu_s(self) -> float:
        """CPU time that they have taken. Raises ChildEnded if one is not there any more."""
        for supervisor in self._supervisors.values():
            supervisor.go_on()
        return sum(cpu_s_of(pid) for pid in self.pids.values())

    async def start(self, **more: str) -> str:
        """One more; answers its name when it drives its share."""
        self._started += 1
        name = f"calls-{self._started}"
        self.pids[name] = await self._start(name, ("serve", "calls"), more)
        return name

    async def start_worker(self) -> None:
        """A worker beside them, for deliveries."""
        self.worker_pid = await self._start("worker", ("worker",), {})

    async def _start(self, name: str, words: tuple[str, ...], more: Mapping[str, str]) -> int:
        supervisor = self._supervisors[name] = Supervisor(self._take)
        await supervisor.start(Child(name, (*PROGRAM, *words), {**self.environment, **more}))
        pid = supervisor.pid_of(name)
        assert pid is not None
        return pid

    def _take(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")
        if LOG is not None:
            with LOG.open("a") as file:
                file.write(f"{name}: {line}\n")

    async def kill(self, name: str) -> float:
        """SIGKILL; answers when, by the machine's monotonic clock."""
        pid, loop = self.pids.pop(name), asyncio.get_running_loop()
        at_s = loop.time()
        os.kill(pid, signal.SIGKILL)
        await self._supervisors.pop(name).__aexit__(None, None, None)
        return at_s

    async def stop(self) -> None:
        """End all."""
        for supervisor in self._supervisors.values():
            await supervisor.__aexit__(None, None, None)


@contextmanager
def running_database() -> Iterator[tuple[Path, DatabaseServer]]:
    """A folder for everything, with a database that has our tables, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="callplane-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        postgres = embedded.start(folder / "postgres")
        try:
            migrate(postgres.url)
            first_line = (folder / "postgres" / "data" / "postmaster.pid").read_text().partition("\n")[0]
            yield folder, DatabaseServer(postgres.url, int(first_line))
        finally:
            postgres.stop()


@asynccontextmanager
async def running_call_servers(
    folder: Path,
    database: DatabaseServer,
    node: str,
    password: str,
    flows: Mapping[str, str],
    *,
    count: int = 1,
    webhook_url: str | None = None,
) -> AsyncIterator[CallServers]:
    """Call servers on a media node (host:port), with numbers that lead to documents, while the block runs."""
    (folder / "recordings").mkdir(exist_ok=True)
    environment = {
        "CALLPLANE_DATA": str(folder),
        "CALLPLANE_DATABASE_URL": database.url,
        "CALLPLANE_NODES": f"local={node}",
        "CALLPLANE_ESL_PASSWORD": password,
        "CALLPLANE_ALLOW_PRIVATE_HOOKS": "1",
        "CALLPLANE_SECRET_KEY": KEY,
        "CALLPLANE_TTS": "tone",
        "CALLPLANE_LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }
    await _lead(folder, database.url, flows, webhook_url)
    servers = CallServers(environment)
    try:
        for _ in range(count):
            await servers.start()
        yield servers
    except BaseException:
        print(*list(servers.lines)[-40:], sep="\n", file=sys.stderr)
        raise
    finally:
        await servers.stop()


async def _lead(folder: Path, url: str, flows: Mapping[str, str], webhook_url: str | None) -> None:
    settings = Settings(data=folder, database_url=SecretStr(url), secret_key=SecretStr(KEY))
    async with Database(url, size=1) as db, db.transaction() as tx:
        account = (await create_account(tx, vault_of(settings), "Bench", cps_limit=1000, channel_cap=20_000)).account_id
        for number, flow in flows.items():
            app = await create_app(tx, account, AppDraft("Bench", Link(flow), webhook_url=webhook_url))
            added = await add_number(tx, account, number)
            await assign_numbers(tx, account, [added.number_id], app.app_id)
