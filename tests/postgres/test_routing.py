"""Where numbers lead, as call servers keep it in memory."""

from __future__ import annotations

import asyncio
import logging

import pytest

from controlplane.base.ids import AccountId
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.numbers import add_number, assign_numbers
from controlplane.store.database import Database
from controlplane.verbs.documents import Link, StatusCallback
from controlplane.wiring.routing import NumbersInMemory
from tests.postgres.sample import rows

STRANGE, PLAIN = "+15550001111", "+15550002222"
DRAFT = AppDraft(name="App", flow=Link("http://app/"), status_callback=StatusCallback(Link("http://app/status")))


async def number_with_app(db: Database, account: AccountId, number: str) -> str:
    """The id of a new number's new app."""
    async with db.transaction() as tx:
        app = await create_app(tx, account, DRAFT)
        added = await add_number(tx, account, number)
        await assign_numbers(tx, account, [added.number_id], app.app_id)
    return app.app_id


async def test_an_app_in_a_newer_versions_words_keeps_no_other_number_from_where_it_leads(
    db: Database, account: AccountId, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = NumbersInMemory(db)
    unread = await number_with_app(db, account, STRANGE)
    rows(url, "UPDATE apps SET status_callback_events = '{initiated,transferred}' RETURNING 1")
    read = await number_with_app(db, account, PLAIN)

    for _ in range(2):
        await numbers.read()

    routes = [numbers.maybe_route(STRANGE), numbers.maybe_route(PLAIN)]
    assert [(route.account, route.app) for route in routes if route] == [(account, None), (account, read)]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [(error.getMessage(), error.__dict__["app"]) for error in errors] == [("app_unreadable", unread)]


class Breaking(NumbersInMemory):
    """Falls over a defect the first time that it is read."""

    reads = 0

    async def read(self) -> None:
        self.reads += 1
        if self.reads == 1:
            raise ZeroDivisionError
        await super().read()


async def test_a_defect_in_reading_is_told_and_the_next_change_is_read_all_the_same(
    db: Database, account: AccountId, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = Breaking(db, defect_retry_s=0)
    keeping = asyncio.create_task(numbers.keep_fresh())
    await number_with_app(db, account, PLAIN)
    numbers.changed()
    async with asyncio.timeout(10):
        while numbers.maybe_route(PLAIN) is None:
            await asyncio.sleep(0)
    keeping.cancel()
    assert "routing_broke" in [record.getMessage() for record in caplog.records]
