from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from controlplane.store.channels import CONTROL, ROUTING
from controlplane.store.database import Database
from controlplane.store.notify import Listener
from controlplane.store.queries import query
from tests.postgres.sample import add_account

Told = asyncio.Queue[tuple[str, str]]
GAP = ("gap", "")


@pytest.fixture
async def told(url: str) -> AsyncIterator[Told]:
    told: Told = asyncio.Queue()
    listener = Listener(
        url,
        [CONTROL, ROUTING],
        on_notify=lambda channel, payload: told.put_nowait((channel, payload)),
        on_gap=lambda: told.put_nowait(GAP),
    )
    await listener.start()
    yield told
    await listener.stop()


async def test_what_is_told_in_a_transaction_arrives_after_it(told: Told, db: Database) -> None:
    assert await told.get() == GAP
    async with db.transaction() as tx:
        await tx.run(query("tell"), channel=CONTROL, payload="cs_1")
        assert told.empty()
    assert await told.get() == (CONTROL, "cs_1")


async def test_a_new_account_is_a_change_of_routing(told: Told, db: Database) -> None:
    assert await told.get() == GAP
    await add_account(db)
    assert await told.get() == (ROUTING, "")


async def test_after_a_lost_connection_there_is_a_gap_and_it_listens_again(told: Told, db: Database, url: str) -> None:
    assert await told.get() == GAP
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'callplane listener' AND datname = current_database()"
        )
    assert await told.get() == GAP
    async with db.transaction() as tx:
        await tx.run(query("tell"), channel=CONTROL, payload="cs_2")
    assert await told.get() == (CONTROL, "cs_2")


async def test_a_defect_in_who_is_told_is_a_gap_and_it_listens_again(db: Database, url: str) -> None:
    told: Told = asyncio.Queue()
    gaps: list[None] = []

    def gap() -> None:
        gaps.append(None)
        if len(gaps) == 1:
            raise ZeroDivisionError
        told.put_nowait(GAP)

    listener = Listener(url, [CONTROL], on_notify=lambda *what: told.put_nowait(what), on_gap=gap)
    await listener.start()
    assert await told.get() == GAP
    async with db.transaction() as tx:
        await tx.run(query("tell"), channel=CONTROL, payload="cs_1")
    assert await told.get() == (CONTROL, "cs_1")
    await listener.stop()
