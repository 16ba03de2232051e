"""Everything that runs during chaos: database, application, node, proxy, and the platform's own processes.

A site is kept over many runs, as starting it takes longer than a run; what a run killed is started again, and what its
calls left is taken out of the database. One whose ledger did not balance is left as it is: the next run gets a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from controlplane.cli.ports import free_port
from controlplane.cli.processes import ChildEnded, NotReady
from controlplane.services.accounts import create_account
from controlplane.services.numbers import add_number
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.wiring.places import vault_of
from tests.acceptance.platform import KEY, PASSWORD, PROGRAM, made
from tests.chaos.brokers import Broker, new_broker
from tests.chaos.database import DatabaseServer
from tests.chaos.database_way import DatabaseWay, port_of
from tests.chaos.flows import DIDS, FLOWS, SHOWN, page
from tests.chaos.nodes import ChaosNode
from tests.chaos.programs import Program
from tests.chaos.proxy import Proxy
from tests.chaos.receiver import Receiver

SERVERS = ("calls-a", "calls-b")
LOOK_S = 0.3
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
_CLOCK = ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC")


@dataclass(slots=True)
class Site:
    """What runs. `lines` are what the platform's processes printed in the run under way."""

    folder: Path
    database: DatabaseServer
    node: ChaosNode
    proxy: Proxy
    receiver: Receiver
    programs: dict[str, Program] = field(default_factory=dict)
    ways: dict[str, DatabaseWay] = field(default_factory=dict)  # of call servers, to the database, where they have one
    api_url: str = ""
    api_key: str = ""
    next_caller: int = 1
    broker: Broker | None = None
    unasked: list[str] = field(default_factory=list)  # processes that ended by themselves, and how
    lines: list[str] = field(default_factory=list)
    _brokers: int = 0

    def take_line(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")

    async def restore(
        self, servers: int, *, has_fake_clock: bool = False, has_own_way: bool = False, broker: str = ""
    ) -> None:
        """Have everything run that should, and so many call servers.

        Their clocks can be stepped or not; each has its own way to the database, which can be cut, or not.
        """
        await self._restore_broker(broker)
        wanted = ["worker", "api", *SERVERS[:servers]]
        clock = self._fake_clock() if has_fake_clock else {}
        for name in SERVERS:
            program = self.programs[name]
            extra = {**clock, **(await self._own_way(name) if has_own_way else {})}
            if program.extra != extra:
                await program.stop()
                program.extra = extra
        if not self.node.is_running:
            await self.node.start()
        for name in SERVERS[servers:]:
            await self.programs[name].stop()
        await asyncio.gather(*(self.programs[name].start() for name in wanted if not self.programs[name].is_running))

    async def _restore_broker(self, kind: str) -> None:
        """Have the worker use a broker of this kind, or its memory."""
        if kind != (self.broker.kind if self.broker else ""):
            worker = self.programs["worker"]
            await worker.stop()
            await self.stop_broker()
            self._brokers += 1
            self.broker = new_broker(kind, self.folder / f"broker-{self._brokers}", self.take_line) if kind else None
            worker.extra = {"CALLPLANE_BROKER_URL": self.broker.url} if self.broker else {}
        if self.broker is not None:
            await self.broker.start()

    async def stop_broker(self) -> None:
        """Let the worker's broker go, if it has one."""
        broker, self.broker = self.broker, None
        if broker is not None:
            await broker.stop()

    async def supervise(self) -> None:
        """Start again what ends by itself, for ever, as whatever watches services does."""
        while True:
            await asyncio.sleep(LOOK_S)
            for program in self.programs.values():
                how = program.ended_by_itself
                if how:
                    self.unasked.append(f"{program.name} ended by itself: {how}")
                    with suppress(ChildEnded, NotReady):
                        await program.start()

    def step_clocks(self, seconds: int) -> None:
        """Let clocks that can be stepped be so far ahead of the machine's."""
        new = self.folder / "clock.new"
        new.write_text(f"+{seconds}")
        new.rename(self.folder / "clock")

    def _fake_clock(self) -> dict[str, str]:
        """Debian's faketime, told by a file that is read each time; monotonic clocks are the machine's."""
        self.step_clocks(0)
        return dict(zip(_CLOCK, (str(FAKETIME), str(self.folder / "clock"), "1", "1"), strict=True))

    async def _own_way(self, name: str) -> dict[str, str]:
        """All that a server says to PostgreSQL goes through this process then: for who needs it alone."""
        if name not in self.ways:
            self.ways[name] = DatabaseWay(port_of(self.database.url))
            await self.ways[name].open()
        return {"CALLPLANE_DATABASE_URL": self.ways[name].url_of(self.database.url)}

    async def forget_calls(self) -> None:
        """Take out what is left of calls, in the database and on the disk."""
        await self.database.empty()
        for path in (self.folder / "spool" / "aside").glob("*.entries"):
            path.unlink()

    async def close_ways(self) -> None:
        """End all of them."""
        for way in self.ways.values():
            await way.close()

    async def place(self, to_number: str) -> dict[str, Any]:
        """Place a call through the API; answers the HTTP status (0: no answer), the call's id, and Retry-After."""
        body = {"from_number": SHOWN, "to_number": to_number, "flow_url": f"{self.receiver.url}/app/placed"}
        body["status_callback_url"] = f"{self.receiver.url}/events/placed"
        try:
            async with self.api() as api:
                answer = await api.post("/voice/calls", json=body)
        except httpx.HTTPError:
            return {"status": 0, "call": None, "retry_after": None}
        call = answer.json()["id"] if answer.is_success else None
        return {"status": answer.status_code, "call": call, "retry_after": answer.headers.get("retry-after")}

    def api(self) -> httpx.AsyncClient:
        """The API as the tenant."""
        return httpx.AsyncClient(
            base_url=f"{self.api_url}/api/v1", headers={"x-api-key": self.api_key}, timeout=15, verify=False
        )


@asynccontextmanager
async def running_site(folder: Path, node: ChaosNode) -> AsyncIterator[Site]:
    """A new site in a folder, without call servers so far, while the block runs."""
    async with AsyncExitStack() as stack:
        database = await DatabaseServer.start(folder / "postgres")
        stack.push_async_callback(database.stop)
        receiver = Receiver(page, folder / "webhooks.jsonl")
        await receiver.start()
        stack.push_async_callback(receiver.stop)
        await node.start()
        stack.push_async_callback(node.close)
        proxy = Proxy(node.esl_port)
        stack.push_async_callback(proxy.close)
        site = Site(folder, database, node, proxy, receiver)
        stack.push_async_callback(site.close_ways)
        stack.push_async_callback(site.stop_broker)
        await _add_programs(site)
        for program in site.programs.values():
            stack.push_async_callback(program.stop)
        account = await _add_tenant(site)
        await site.restore(0)
        await _add_apps(site, account)
        supervising = asyncio.create_task(site.supervise())
        try:
            yield site
        finally:
            supervising.cancel()


async def _add_programs(site: Site) -> None:
    port = free_port()
    site.api_url = f"http://127.0.0.1:{port}"
    environment = {
        "CALLPLANE_DATA": str(site.folder),
        "CALLPLANE_DATABASE_URL": site.database.url,
        "CALLPLANE_ESL_PASSWORD": PASSWORD,
        "CALLPLANE_GATEWAY": site.node.gateway,
        "CALLPLANE_ALLOW_PRIVATE_HOOKS": "1",
        "CALLPLANE_PUBLIC_URL": site.api_url,
        "CALLPLANE_SECRET_KEY": KEY,
        "CALLPLANE_TTS": "tone",
        "CALLPLANE_CPS_LIMIT": "100",
        # A machine that runs everything may stand still: no call is refused for that here.
        "CALLPLANE_OVERLOAD_LOOP_LAG_MS": "0",
        "CALLPLANE_OVERLOAD_LINK_DELAY_MS": "0",
        "CALLPLANE_OVERLOAD_COMMIT_MS": "0",
        "PYTHONUNBUFFERED": "1",
    }
    commands = {"worker": ("worker",), "api": ("serve", "api", "--port", str(port))}
    for name, command in commands.items():
        node = {"CALLPLANE_NODES": f"local=127.0.0.1:{site.node.esl_port}"}
        site.programs[name] = Program(name, (*PROGRAM, *command), site.take_line, {**environment, **node})
    for name in SERVERS:
        ours = {"CALLPLANE_NODES": f"local=127.0.0.1:{await site.proxy.listen_for(name)}"}
        site.programs[name] = Program(name, (*PROGRAM, "serve", "calls"), site.take_line, {**environment, **ours})


async def _add_tenant(site: Site) -> dict[str, str]:
    """Answers the ids of the tenant's numbers, by flow."""
    (site.folder / "recordings").mkdir(exist_ok=True)
    settings = Settings(data=site.folder, database_url=SecretStr(site.database.url), secret_key=SecretStr(KEY))
    async with Database(site.database.url, size=1) as db, db.transaction() as tx:
        account = await create_account(tx, vault_of(settings), "Chaos", cps_limit=100)
        site.api_key = account.api_key
        await add_number(tx, account.account_id, SHOWN)
        return {name: (await add_number(tx, account.account_id, did)).number_id for name, did in DIDS.items()}


async def _add_apps(site: Site, numbers: dict[str, str]) -> None:
    async with site.api() as api:
        for name in FLOWS:
            if name not in numbers:
                continue
            app = {
                "name": name,
                "flow_url": f"{site.receiver.url}/app/{name}",
                "webhook_url": f"{site.receiver.url}/events/{name}",
                "status_callback_events": [],
                "vn_ids": [numbers[name]],
            }
            await made(api, "/voice/apps", app)
