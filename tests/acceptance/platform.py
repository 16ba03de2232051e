"""Callplane as whole processes for a run of tests: call servers, worker and API, on a media node that is given."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from psycopg.conninfo import make_conninfo
from pydantic import SecretStr

from controlplane.base.ids import CallId, leg_of_call, shard_of
from controlplane.cli.ports import free_port
from controlplane.cli.processes import Child, Supervisor
from controlplane.services.accounts import create_account
from controlplane.services.numbers import add_number
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.store.migrate import migrate
from controlplane.wiring.places import vault_of

SETTLE_S = 25.0
PASSWORD = "for-tests"
PROGRAM = (sys.executable, "-m", "controlplane.cli")
KEY = base64.b64encode(bytes(32)).decode()
_UNFINISHED = """
    SELECT account_id, 'call ' || call_id || ' is ' || status FROM calls WHERE ended_at IS NULL
    UNION ALL
    SELECT account_id, 'delivery to ' || url || ' is ' || state || ': ' || coalesce(last_error, last_status::text, '')
      FROM deliveries WHERE state IN ('pending', 'sending')
    UNION ALL
    SELECT account_id, 'recording is ' || state || ': ' || coalesce(problem, '')
      FROM recordings WHERE state IN ('in-progress', 'processing')
"""
_DRIVING = """
    SELECT server_id FROM call_servers JOIN pg_locks ON pg_locks.pid = backend_pid
     WHERE locktype = 'advisory' AND objid = %s AND objsubid = 2
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account, as its owner knows it."""

    account_id: str
    auth_token: str
    api_key: str
    number_id: str = ""


@dataclass(slots=True)
class Platform:
    """What runs. `lines` are what the processes printed; `call_servers` those that nobody killed."""

    settings: Settings
    stack: AsyncExitStack
    url: str
    database_url: str
    environment: Mapping[str, str]
    lines: list[str] = field(default_factory=list)
    call_servers: dict[str, int] = field(default_factory=dict)
    _started: int = 0
    _routes: int = 0

    async def add_tenant(self, name: str, number: str) -> Tenant:
        """A tenant with a number."""
        async with Database(self.database_url, size=1) as db, db.transaction() as tx:
            made = await create_account(tx, vault_of(self.settings), name, cps_limit=100)
            added = await add_number(tx, made.account_id, number)
        return Tenant(made.account_id, made.auth_token, made.api_key, added.number_id)

    def api(self, tenant: Tenant) -> httpx.AsyncClient:
        """The API as a tenant."""
        return httpx.AsyncClient(
            base_url=f"{self.url}/api/v1",
            headers={"x-api-key": tenant.api_key},
            timeout=30,
            verify=False,  # plain HTTP: reading the certificates of the world takes longer than any request here
        )

    def take_line(self, child: str, line: str) -> None:
        self.lines.append(f"{child}: {line}")

    async def start_call_server(self) -> None:
        """One more, which may die without the others."""
        self._started += 1
        name = f"calls-{self._started}"
        supervisor = await self.stack.enter_async_context(Supervisor(self.take_line))
        await supervisor.start(Child(name, (*PROGRAM, "serve", "calls"), self.environment))
        pid = supervisor.pid_of(name)
        assert pid is not None
        self.call_servers[name] = pid

    async def have_call_servers(self, count: int) -> None:
        """See to it that so many run: start what is missing, stop what is too many."""
        while len(self.call_servers) < count:
            await self.start_call_server()
        while len(self.call_servers) > count:
            _, pid = self.call_servers.popitem()
            os.kill(pid, signal.SIGTERM)

    async def kill_call_server_of(self, call: str) -> None:
        """End, without a warning, the one that drives a call."""
        pid = await self._pid_driving(call)
        name = next(name for name, known in self.call_servers.items() if known == pid)
        del self.call_servers[name]
        os.kill(pid, signal.SIGKILL)

    async def _pid_driving(self, call: str) -> int:
        """The process whose session holds the lock on a call's shard; the id of a server is host-pid-random."""
        shard = shard_of(leg_of_call(CallId(call)))
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            row = await (await connection.execute(_DRIVING, (shard,))).fetchone()
        assert row is not None, f"nobody drives {call}"
        return int(row[0].split("-")[-2])

    async def until_all_know(self, routes: int) -> None:
        """Wait until every call server has read that so many more numbers lead somewhere."""
        self._routes += routes
        async with asyncio.timeout(SETTLE_S):
            while not all(self._knows(name, self._routes) for name in self.call_servers):
                await asyncio.sleep(0.02)  # other processes have to do it

    def _knows(self, name: str, routes: int) -> bool:
        read = (line for line in self.lines if line.startswith(f"{name}: ") and "routing_read" in line)
        return any(json.loads(line.partition(": ")[2])["routes"] >= routes for line in read)

    async def settle(self) -> list[tuple[UUID, str]]:
        """Wait until no call, delivery or recording is left to be finished; answers what is after a time, and whose."""
        until_s = asyncio.get_running_loop().time() + SETTLE_S
        async with await psycopg.AsyncConnection.connect(self.database_url, autocommit=True) as connection:
            while left := await (await connection.execute(_UNFINISHED)).fetchall():
                if asyncio.get_running_loop().time() > until_s:
                    return left
                await asyncio.sleep(0.1)  # another process has to do it
        return []

    async def call_ids(self, tenant: Tenant) -> list[str]:
        """The tenant's calls, in the order they began."""
        async with self.api(tenant) as api:
            page = (await api.get("/voice/calls", params={"limit": 100})).json()
        return [call["id"] for call in reversed(page["data"])]


@asynccontextmanager
async def running_platform(
    folder: Path,
    *,
    server_url: str,
    node: str,
    gateway: str,
    call_servers: int = 2,
    more: Mapping[str, str] | None = None,
) -> AsyncIterator[Platform]:
    """The processes, with a database of their own on the server, while the block runs. `node` is host:port."""
    (folder / "recordings").mkdir(parents=True, exist_ok=True)
    name = f"acceptance_{os.getpid()}_{folder.name.lower().replace('-', '_')}"
    database_url = await asyncio.to_thread(_new_database, server_url, name)
    port = free_port()
    environment = {
        "CALLPLANE_DATA": str(folder),
        "CALLPLANE_DATABASE_URL": database_url,
        "CALLPLANE_NODES": f"local={node}",
        "CALLPLANE_ESL_PASSWORD": PASSWORD,
        "CALLPLANE_GATEWAY": gateway,
        "CALLPLANE_ALLOW_PRIVATE_HOOKS": "1",
        "CALLPLANE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CALLPLANE_SECRET_KEY": KEY,
        # A machine that runs everything, and perhaps other things, may stand still: no call is refused for that here.
        "CALLPLANE_OVERLOAD_LOOP_LAG_MS": "0",
        "CALLPLANE_OVERLOAD_LINK_DELAY_MS": "0",
        "CALLPLANE_OVERLOAD_COMMIT_MS": "0",
        "PYTHONUNBUFFERED": "1",
        **(more or {}),
    }
    settings = Settings(
        data=folder, database_url=SecretStr(database_url), secret_key=SecretStr(KEY), nodes=f"local={node}"
    )
    lines: list[str] = []
    try:
        async with AsyncExitStack() as stack:
            platform = Platform(settings, stack, f"http://127.0.0.1:{port}", database_url, environment, lines)
            supervisor = await stack.enter_async_context(Supervisor(platform.take_line))
            await asyncio.gather(
                supervisor.start(Child("worker", (*PROGRAM, "worker"), environment)),
                supervisor.start(Child("api", (*PROGRAM, "serve", "api", "--port", str(port)), environment)),
                *(platform.start_call_server() for _ in range(call_servers)),
            )
            yield platform
    except BaseException:
        print(*lines, sep="\n")
        raise
    finally:
        await asyncio.to_thread(_execute, server_url, f"DROP DATABASE {name} WITH (FORCE)")


def _new_database(server_url: str, name: str) -> str:
    _execute(server_url, f"CREATE DATABASE {name}")
    url = make_conninfo(server_url, dbname=name)
    migrate(url)
    return url


def _execute(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def made(api: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a POST made; it must have been."""
    answer = await api.post(path, json=dict(body))
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    facts: dict[str, Any] = answer.json()
    return facts
