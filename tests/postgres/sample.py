"""Rows that tests need again and again."""

from __future__ import annotations

import itertools
from typing import Any

import psycopg
from psycopg.rows import dict_row

from controlplane.base.ids import ACCOUNT, CALL, AccountId, CallId, leg_of_call, mint
from controlplane.calls.events import CallOffered
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.journal import encode_event
from controlplane.services.accounts import create_account
from controlplane.store.channels import QUEUE
from controlplane.store.database import Database, Transaction
from controlplane.store.facts import write_facts
from controlplane.store.queries import query
from controlplane.store.records import CallOpened, Record, Write
from controlplane.store.vault import Vault
from controlplane.verbs.documents import Link

NOW_MS = 1_700_000_000_000
ACME = AccountId(mint(ACCOUNT, NOW_MS, b"acme......"))
SERVER = "here-1-ab"  # a call server's id: its host's name, process and something random
VAULT = Vault([b"k" * 32])
_entropy = itertools.count(1)


def call_in_shard(shard: int, at_ms: int = NOW_MS) -> CallId:
    """A new call id whose A-leg is in this shard."""
    return CallId(mint(CALL, at_ms, (next(_entropy) * 16 + shard).to_bytes(10, "big")))


async def add_account(
    db: Database, account: AccountId = ACME, cps_limit: int | None = None, channel_cap: int | None = None
) -> None:
    async with db.transaction() as tx:
        await tx.run(
            query("insert_account"), account_id=account, name="Acme", auth_token=b"", cps_limit=cps_limit,
            channel_cap=channel_cap,
        )  # fmt: skip


def facts_of(call: CallId, account: AccountId = ACME, node: str = "") -> Facts:
    """What an outbound call was placed with."""
    return Facts(
        call, account, leg_of_call(call), node, Direction.OUTBOUND_API, "+15550001111", "+15550002222",
        document=Link("http://app/flow"),
    )  # fmt: skip


async def queue_call(db: Database, call: CallId, account: AccountId = ACME, app: str | None = None) -> None:
    async with db.transaction() as tx:
        await queue_call_in(tx, call, account, app)


async def queue_call_in(tx: Transaction, call: CallId, account: AccountId = ACME, app: str | None = None) -> None:
    await tx.run(
        query("queue_calls"), call_ids=[call], account_ids=[account], app_ids=[app], from_numbers=["+15550001111"],
        to_numbers=["+15550002222"], facts=f"[{write_facts(facts_of(call, account))}]",
        channel=QUEUE, payloads=[],
    )  # fmt: skip


def offered(call: CallId, *more: Write, account: AccountId = ACME, node: str = "fs1", app: str | None = None) -> Record:
    """The first record of an inbound call."""
    opened = CallOpened(app, "inbound", "ringing", "+15550001111", "+15550002222", node)
    kind, data = encode_event(CallOffered(facts_of(call, account, node)))
    return Record(account, call, 0, NOW_MS, kind, data, b"digest", (opened, *more))


def entry(call: CallId, seq: int, *writes: Write, data: str = "{}", account: AccountId = ACME) -> Record:
    """A later record, one second for each place."""
    return Record(account, call, seq, NOW_MS + seq * 1000, "Something", data, b"", writes)


def rows(url: str, sql: str) -> list[dict[str, Any]]:
    """What a second pair of eyes sees."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(sql.encode()).fetchall()


async def new_account(db: Database, name: str = "Acme") -> AccountId:
    """An account as an operator makes it."""
    async with db.transaction() as tx:
        return (await create_account(tx, VAULT, name)).account_id
