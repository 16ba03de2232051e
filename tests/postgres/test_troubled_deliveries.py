"""Deliveries while clocks are wrong or the database is away for a moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from controlplane.base.ids import AccountId, Token
from controlplane.hooks.client import HookClient
from controlplane.store.database import Database, DatabaseAway, Transaction
from controlplane.store.journal import Recorder
from controlplane.store.records import CallbackQueued, EventPublished
from controlplane.tasks.deliveries import Courier
from tests.postgres.sample import VAULT, call_in_shard, offered, rows
from tests.postgres.test_courier import Outcomes, publish, receiving

TEN_MINUTES_AHEAD_MS = 4_000_000_000_000  # and more: any clock that is wrong


class Blinking(Database):
    """A database that is away for so many transactions."""

    away = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        if self.away:
            self.away -= 1
            raise DatabaseAway
        async with super().transaction() as tx:
            yield tx


async def go_away(db: Blinking) -> None:
    db.away = 2


async def test_what_a_process_with_a_wrong_clock_tells_is_due_at_once(
    url: str, recorder: Recorder, account: AccountId
) -> None:
    call = call_in_shard(1)
    writes = (
        EventPublished(Token(f"{call}.0"), "call.x", "{}", None, "http://app/"),
        CallbackQueued("http://app/", "POST", "[]"),
    )
    await recorder.submit([replace(offered(call, *writes, account=account), at_ms=TEN_MINUTES_AHEAD_MS)])
    assert rows(url, "SELECT due_at <= now() AS is_due FROM deliveries") == [{"is_due": True}] * 2


async def test_an_attempt_that_could_not_be_put_on_record_at_once_is_not_made_again(
    url: str, recorder: Recorder, account: AccountId
) -> None:
    outcomes, db = Outcomes(), Blinking(url, size=2, wait_s=60)
    async with (
        HookClient(allow_private=True) as hooks,
        db,
        receiving(lambda _call: go_away(db)) as receiver,
    ):
        await publish(recorder, account, receiver.url)
        async with Courier(db, VAULT, hooks, outcomes) as courier:
            await courier.deliver_due()
            await outcomes.attempts(1)
            db.away = 0
        assert (outcomes.seen["delivered"], len(receiver.told)) == (1, 1)
    assert rows(url, "SELECT state, attempts FROM deliveries") == [{"state": "delivered", "attempts": 1}]
