"""Lists of calls, page by page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.ids import AccountId, CallId, LegId, call_of_leg
from controlplane.services.calls import CallFilter, list_calls
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.pages import Window
from tests.postgres.sample import NOW_MS, new_account, offered

# As FreeSWITCH names the channels of four callers, one second after the other.
CALLS = [call_of_leg(LegId(f"{first}0c57b2e-8f4a-4c0e-9d53-3f1f6c1a9d0{first}")) for first in "c1f8"]


@pytest.fixture
async def account(db: Database, url: str) -> AccountId:
    account = await new_account(db)
    recorder = Recorder(url)
    await recorder.start()
    for second, call in enumerate(CALLS):
        await recorder.submit([replace(offered(call, account=account), at_ms=NOW_MS + second * 1000)])
    await recorder.stop()
    return account


async def test_calls_that_came_in_are_listed_by_time_in_pages_that_join(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        first = await list_calls(tx, account, Window(2))
        second = await list_calls(tx, account, Window(2, after=first.next_cursor))
        back = await list_calls(tx, account, Window(2, before=second.previous_cursor))

    pages = [[call.call_id for call in page.data] for page in (first, second, back)]
    assert pages == [CALLS[:1:-1], CALLS[1::-1], CALLS[:1:-1]]
    assert second.next_cursor is None


async def test_a_cursor_may_lie_outside_of_what_is_asked_for(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        page = await list_calls(tx, account, Window(after=CALLS[1]), CallFilter(from_number="+15550001111"))
        nothing = await list_calls(tx, account, Window(after=unknown(CALLS[1])))

    assert [call.call_id for call in page.data] == CALLS[:1]
    assert nothing.data == ()


def unknown(call: CallId) -> CallId:
    """The id of a call that nobody had."""
    return CallId(f"{call[:-1]}{'Z' if call[-1] != 'Z' else 'Y'}")
