"""Secrets that cannot be read: sealed with a key that is not there any more, or spoilt."""

from __future__ import annotations

import psycopg

from controlplane.base.ids import Token
from controlplane.services.deliver import take_due_deliveries
from controlplane.services.events import list_events
from controlplane.store.database import Database
from controlplane.store.edge import uuid_of
from controlplane.store.journal import Recorder
from controlplane.store.pages import Window
from controlplane.store.records import EventPublished
from tests.postgres.sample import VAULT, call_in_shard, new_account, offered


async def test_an_account_whose_secret_cannot_be_read_holds_up_nobody_else(db: Database, url: str) -> None:
    accounts = [await new_account(db), await new_account(db)]
    calls = [call_in_shard(1), call_in_shard(2)]
    recorder = Recorder(url)
    await recorder.start()
    for call, account in zip(calls, accounts, strict=True):
        told = EventPublished(Token(call), "call.ringing", "{}", None, "http://app/hook")
        await recorder.submit([offered(call, told, account=account)])
    await recorder.stop()
    spoilt = uuid_of("account_id", accounts[0])
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE accounts SET auth_token = 'none' WHERE account_id = %s", [spoilt])

    async with db.transaction() as tx:
        assert [delivery.call_id for delivery in await take_due_deliveries(tx, VAULT)] == [calls[1]]
    async with db.transaction() as tx:
        [event] = (await list_events(tx, accounts[0], Window())).data
    assert (event.delivery_state, event.last_error) == ("pending", "the secret that signs this cannot be read")
