"""PostgreSQL is away while calls are made and ended: no caller notices, and everything is on record afterwards."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.scenarios import CallerPlan, ExpectEnd, Press, Scenario, Step, Wait
from controlplane.store.spool import Spool, folders_in, set_aside_in
from controlplane.wiring.places import vault_of
from controlplane.wiring.recording import spools_folder
from tests.acceptance.application import Application
from tests.acceptance.in_processes import WEBHOOK, events_told
from tests.acceptance.platform import SETTLE_S, Platform, Tenant, made
from tests.acceptance.ways import emulator_platform
from tests.chaos.database import DatabaseServer

PAGES = {
    "/": '<Response><Gather numDigits="1" action="/picked"><Say>Pick.</Say></Gather></Response>',
    "/picked": "<Response><Say>Thanks.</Say></Response>",
}
NUMBER = "+15550002222"
TOLD = ["call.initiated", "call.ringing", "call.answered", "call.completed"]
_PLACES = """
    SELECT call_id::text, status, reason,
        (SELECT array_agg(seq ORDER BY seq) FROM journal WHERE journal.call_id = calls.call_id),
        (SELECT array_agg(sequence ORDER BY sequence) FROM events WHERE events.call_id = calls.call_id),
        (SELECT count(*) FROM journal WHERE journal.call_id = calls.call_id AND kind = 'Resumed')
    FROM calls ORDER BY created_at
"""


@dataclass(slots=True)
class World:
    """A platform with a database of its own, a tenant, and people who call it."""

    platform: Platform
    database: DatabaseServer
    node: Node
    tenant: Tenant
    application: Application
    _callers: Iterator[int]

    async def call(self, people: int, *script: Step) -> list[PartyLog]:
        """So many people call, press a key and are thanked."""
        script = script or (Wait(1.5), Press("7"), ExpectEnd())
        callers = [CallerPlan(f"+1555100{next(self._callers):04}", NUMBER, script) for _ in range(people)]
        cast = Cast(self.node, Scenario(tuple(callers), {}))
        await cast.perform()
        assert [problem for log in cast.logs for problem in log.problems] == []
        return list(cast.logs)

    async def must_be_whole(self, calls: int) -> None:
        """Each call has its verdict, its journal and its events without gaps, and its tenant was told of each."""
        async with asyncio.timeout(SETTLE_S):
            while len(await self._rows("SELECT 1 FROM calls")) < calls:
                await asyncio.sleep(0.05)  # what waited on the disk is written by other processes
        left = await self.platform.settle()
        assert left == []
        found = await self._rows(_PLACES)
        assert [(status, reason) for _, status, reason, *_ in found] == [("completed", "normal-clearing")] * calls
        for _, _, _, places, events, _ in found:
            assert places == list(range(len(places)))
            assert events == list(range(len(TOLD)))
        assert sum(row[-1] for row in found) == 0  # whose calls these were is what it was
        told = [request for request in self.application.log if request.path == WEBHOOK]
        assert events_told(told) == TOLD * calls

    async def _rows(self, statement: Any) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self.platform.database_url, autocommit=True) as connection:
            return await (await connection.execute(statement)).fetchall()


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    database = await DatabaseServer.start(folder / "postgresql")
    application = None
    try:
        async with emulator_platform(folder / "data", database.server.url) as (platform, node):
            tenant = await platform.add_tenant("Acme", NUMBER)
            application = Application(PAGES, tenant.auth_token)
            app = {
                "name": "menu", "flow_url": f"{application.url}/", "webhook_url": f"{application.url}{WEBHOOK}",
                "vn_ids": [tenant.number_id],
            }  # fmt: skip
            async with platform.api(tenant) as api:
                await made(api, "/voice/apps", app)
            await platform.until_all_know(1)
            yield World(platform, database, node, tenant, application, itertools.count())
    finally:
        if application is not None:
            application.close()
        await database.stop()


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a session may end at any time
            os.kill(pid, number)


def _processes_of(server: DatabaseServer) -> list[int]:
    postmaster = int((server.server.folder / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


@pytest.mark.timeout(240)
async def test_calls_made_and_ended_while_postgresql_is_away_are_whole_afterwards(short_folder: Path) -> None:
    async with world(short_folder / "away") as here:
        # One began before: it ends while the database is away.
        early = asyncio.create_task(here.call(1, Wait(8), Press("7"), ExpectEnd()))
        await here.call(2)
        await here.database.halt()
        await here.call(4)
        await early
        await _writes_are_refused(here)
        await here.database.go_on()
        await here.must_be_whole(7)

        # It hangs: it takes connections and does not answer.
        stopped = _processes_of(here.database)
        _signal(stopped, signal.SIGSTOP)
        await here.call(3)
        _signal(stopped, signal.SIGCONT)
        await here.must_be_whole(10)

        # Its connections are cut, again and again.
        calling = asyncio.create_task(here.call(3))
        while not calling.done():
            await here.database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND backend_type = 'client backend'"
            )
            await asyncio.wait({calling}, timeout=0.7)
        await calling
        await here.must_be_whole(13)

        # It is away, and then every server is killed as well.
        await here.database.halt()
        await here.call(3)
        while await asyncio.to_thread(_ended_on_disk, here) < 3:
            await asyncio.sleep(0.02)  # the last entries go to the disk a moment after the callers have gone
        _signal(here.platform.call_servers.values(), signal.SIGKILL)
        await here.database.go_on()
        await here.platform.start_call_server()
        await here.must_be_whole(16)
        assert set_aside_in(spools_folder(here.platform.settings)) == []


def _ended_on_disk(here: World) -> int:
    """How many calls have ended by what waits on the disk."""
    vault = vault_of(here.platform.settings)
    spools = [Spool(folder, vault, 0, -1) for folder in folders_in(spools_folder(here.platform.settings))]
    records = [record for spool in spools for path in spool.waiting() for record in spool.read(path).records]
    return sum(record.kind == "LegEnded" for record in records)


async def _writes_are_refused(here: World) -> None:
    async with here.platform.api(here.tenant) as api:
        answers = [
            await api.post("/voice/apps", json={"name": "x", "flow_url": "http://127.0.0.1:1/"}),
            await api.post("/voice/calls", json={"from_number": NUMBER, "to_number": "+15550003333"}),
            await api.get("/voice/calls"),
        ]
    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert json.loads(answer.text)["type"] == "/problems/database-unavailable"
