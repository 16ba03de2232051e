"""Two media nodes behind a record-routing SIP proxy, telephones around it, and the platform's processes.

The nodes keep their answered legs in core databases, so that one goes on with what the other had.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Container, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from controlplane.cli.freeswitch import freeswitch_child, loopback_node
from controlplane.cli.ports import free_port
from controlplane.cli.processes import Supervisor
from controlplane.emulator.phones.calls import PhoneCall
from controlplane.emulator.phones.exchange import Exchange
from controlplane.esl.commands import line
from controlplane.render import MediaNode
from controlplane.services.accounts import create_account
from controlplane.services.numbers import add_number
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.wiring.places import vault_of
from tests.acceptance.media_node import logged_in
from tests.acceptance.platform import KEY, PASSWORD, PROGRAM, made
from tests.chaos.database import DatabaseServer
from tests.chaos.programs import Program
from tests.chaos.receiver import Pages, Receiver
from tests.chaos.twins.sip_proxy import SipProxy

NAMES = ("n1", "n2")
SERVERS = ("calls-a", "calls-b")
_SETTLE_S = 20.0


@dataclass(slots=True)
class Twins:
    """What runs. `lines` are what the platform's processes printed."""

    folder: Path
    freeswitch: Path
    database: DatabaseServer
    receiver: Receiver
    exchange: Exchange
    nodes: dict[str, MediaNode]
    proxy: SipProxy
    programs: dict[str, Program] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    api_url: str = ""
    api_key: str = ""
    _supervisors: dict[str, Supervisor] = field(default_factory=dict)

    async def start_node(self, name: str) -> None:
        """Start a media node, again if it was killed."""
        await self._stop_node(name)
        supervisor = self._supervisors[name] = Supervisor(lambda _name, _line: None)
        await supervisor.start(replace(freeswitch_child(self.freeswitch, self.nodes[name]), name=name))

    def kill_node(self, name: str) -> None:
        """End a media node without a warning."""
        pid = self._supervisors[name].pid_of(name)
        assert pid is not None
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)

    async def stop_nodes(self) -> None:
        for name in list(self._supervisors):
            await self._stop_node(name)

    async def _stop_node(self, name: str) -> None:
        if name in self._supervisors:
            await self._supervisors.pop(name).__aexit__(None, None, None)

    def count_channels(self, name: str) -> int:
        """How many legs a node has."""
        with_link = logged_in(self.nodes[name].esl_port, PASSWORD)
        try:
            return int(with_link.send(line("api", "show channels count")).split()[0])
        finally:
            with_link.close()

    def dial(self, caller: str, number: str) -> PhoneCall:
        """Somebody calls a number of the tenant's."""
        return self.exchange.dial(caller, number, peer=("127.0.0.1", self.proxy.port))

    async def settle(self) -> list[str]:
        """Wait until every call is over on record; answers what is not after a while."""
        until_s = asyncio.get_running_loop().time() + _SETTLE_S
        while asyncio.get_running_loop().time() < until_s:
            rows = await self.database.rows("SELECT call_id::text || ' ' || status FROM calls WHERE ended_at IS NULL")
            if not rows:
                return []
            await asyncio.sleep(0.1)  # other processes have to do it
        return [text for (text,) in rows]

    def take_line(self, name: str, text: str) -> None:
        self.lines.append(f"{name}: {text}")

    def api(self) -> httpx.AsyncClient:
        """The API as the tenant."""
        return httpx.AsyncClient(
            base_url=f"{self.api_url}/api/v1", headers={"x-api-key": self.api_key}, timeout=15, verify=False
        )


@asynccontextmanager
async def running_twins(
    folder: Path,
    freeswitch: Path,
    kamailio: Path,
    *,
    numbers: Mapping[str, str],
    pages: Pages,
    files: Mapping[str, bytes],
    on_call: Callable[[PhoneCall], None],
    call_servers: int = 2,
) -> AsyncIterator[Twins]:
    """Everything, while the block runs. `numbers` lead to `/app/<name>` of the application, each by its name."""
    async with AsyncExitStack() as stack:
        database = await DatabaseServer.start(folder / "postgres")
        stack.push_async_callback(database.stop)
        receiver = Receiver(pages, folder / "webhooks.jsonl", files=files)
        await receiver.start()
        stack.push_async_callback(receiver.stop)
        exchange = Exchange(on_call)
        await exchange.start()
        stack.push_async_callback(exchange.stop)
        nodes: dict[str, MediaNode] = {}
        for name in NAMES:
            nodes[name] = _node(folder, name, database, {node.sip_port for node in nodes.values()})
        proxy = SipProxy(kamailio, folder / "kamailio", [*nodes.values()], exchange.contact)
        stack.push_async_callback(proxy.program.stop)
        twins = Twins(folder, freeswitch, database, receiver, exchange, nodes, proxy)
        stack.push_async_callback(twins.stop_nodes)
        await asyncio.gather(proxy.program.start(), *(twins.start_node(name) for name in NAMES))
        _add_programs(twins, call_servers)
        for program in twins.programs.values():
            stack.push_async_callback(program.stop)
        await _add_tenant(twins, numbers)
        yield twins


def _node(folder: Path, name: str, database: DatabaseServer, taken: Container[int]) -> MediaNode:
    """A node with a core database, on ports that another which does not run yet has not `taken`."""
    with psycopg.connect(database.server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE core_{name}".encode())
    while True:
        node = loopback_node(
            folder / name,
            esl_password=PASSWORD,
            name=name,
            prompts=folder / "prompts",
            recordings=folder / "recordings",
            call_records=folder / "node" / name,
        )
        if node.sip_port not in taken:
            return replace(node, core_database=_core_databases(database).replace("{node}", name))


def _core_databases(database: DatabaseServer) -> str:
    parts = conninfo_to_dict(database.server.url)
    return f"postgresql://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/core_{{node}}"


def _add_programs(twins: Twins, call_servers: int) -> None:
    port = free_port()
    twins.api_url = f"http://127.0.0.1:{port}"
    environment = {
        "CALLPLANE_DATA": str(twins.folder),
        "CALLPLANE_DATABASE_URL": twins.database.url,
        "CALLPLANE_NODES": ",".join(f"{name}=127.0.0.1:{node.esl_port}" for name, node in twins.nodes.items()),
        "CALLPLANE_CORE_DATABASES": _core_databases(twins.database),
        "CALLPLANE_ESL_PASSWORD": PASSWORD,
        "CALLPLANE_GATEWAY": twins.proxy.contact,
        "CALLPLANE_ALLOW_PRIVATE_HOOKS": "1",
        "CALLPLANE_PUBLIC_URL": twins.api_url,
        "CALLPLANE_SECRET_KEY": KEY,
        "CALLPLANE_TTS": "tone",
        "CALLPLANE_CPS_LIMIT": "100",
        "PYTHONUNBUFFERED": "1",
    }
    commands = {"worker": ("worker",), "api": ("serve", "api", "--port", str(port))}
    commands |= dict.fromkeys(SERVERS[:call_servers], ("serve", "calls"))
    for name, command in commands.items():
        twins.programs[name] = Program(name, (*PROGRAM, *command), twins.take_line, environment)


async def _add_tenant(twins: Twins, numbers: Mapping[str, str]) -> None:
    settings = Settings(data=twins.folder, database_url=SecretStr(twins.database.url), secret_key=SecretStr(KEY))
    async with Database(twins.database.url, size=1) as db, db.transaction() as tx:
        account = await create_account(tx, vault_of(settings), "Twins", cps_limit=100)
        twins.api_key = account.api_key
        added = {name: (await add_number(tx, account.account_id, did)).number_id for name, did in numbers.items()}
    await asyncio.gather(*(program.start() for program in twins.programs.values()))
    async with twins.api() as api:
        for name, number_id in added.items():
            url = f"{twins.receiver.url}/app/{name}"
            app = {"name": name, "flow_url": url, "webhook_url": f"{twins.receiver.url}/events/{name}"}
            await made(api, "/voice/apps", {**app, "status_callback_events": [], "vn_ids": [number_id]})
    routes = len(numbers)
    async with asyncio.timeout(_SETTLE_S):
        while not all(_knows(twins, name, routes) for name in twins.programs if name in SERVERS):
            await asyncio.sleep(0.05)  # other processes have to read it


def _knows(twins: Twins, name: str, routes: int) -> bool:
    return any(one.startswith(f"{name}: ") and f'"routes": {routes}' in one for one in twins.lines)
