from __future__ import annotations

import asyncio

import psycopg
import pytest

from controlplane.base.errors import NotFound
from controlplane.services.idempotent import (
    Answer,
    BadIdempotencyKey,
    KeyInUse,
    KeyOfAnother,
    forget_old_answers,
    run_once,
)
from controlplane.store.database import Database
from tests.postgres.sample import ACME, VAULT, add_account, call_in_shard, queue_call_in, rows


class Caller:
    """Queues one call each time it is run."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def ask(self, key: str = "k", request: bytes = b"POST /calls {}") -> Answer:
        async with self.db.transaction() as tx:

            async def run() -> Answer:
                call = call_in_shard(1)
                await queue_call_in(tx, call)
                return Answer(202, call.encode())

            return await run_once(tx, VAULT, ACME, key, request, run)


@pytest.fixture
async def caller(db: Database) -> Caller:
    await add_account(db)
    return Caller(db)


async def test_the_same_request_again_gives_the_same_answer_and_runs_once(caller: Caller, url: str) -> None:
    first = await caller.ask()
    assert await caller.ask() == first
    assert len(rows(url, "SELECT 1 FROM calls")) == 1


async def test_a_hundred_at_once_make_one_call(url: str) -> None:
    async with Database(url, size=20, wait_s=30) as db:
        await add_account(db)
        caller = Caller(db)
        answers = await asyncio.gather(*[caller.ask() for _ in range(100)], return_exceptions=True)
    given = {answer for answer in answers if isinstance(answer, Answer)}
    refused = [answer for answer in answers if not isinstance(answer, Answer)]
    assert len(given) == 1
    assert {type(answer) for answer in refused} <= {KeyInUse}
    assert len(rows(url, "SELECT 1 FROM calls")) == 1


async def test_another_request_with_the_same_key_is_refused(caller: Caller) -> None:
    await caller.ask()
    with pytest.raises(KeyOfAnother):
        await caller.ask(request=b"POST /calls {1}")


async def test_while_one_runs_the_same_key_is_refused(caller: Caller, db: Database) -> None:
    async with db.transaction() as tx:

        async def run() -> Answer:
            with pytest.raises(KeyInUse):
                await caller.ask()
            return Answer(202, b"")

        await run_once(tx, VAULT, ACME, "k", b"POST /calls {}", run)


async def test_a_request_that_failed_may_be_tried_again(caller: Caller, db: Database, url: str) -> None:
    async def fail() -> Answer:
        raise NotFound

    with pytest.raises(NotFound):
        async with db.transaction() as tx:
            await run_once(tx, VAULT, ACME, "k", b"POST /calls {}", fail)
    await caller.ask()
    assert len(rows(url, "SELECT 1 FROM calls")) == 1


async def test_a_key_is_free_again_after_a_day(caller: Caller, db: Database, url: str) -> None:
    first = await caller.ask()
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    assert await caller.ask(request=b"another") != first
    async with db.transaction() as tx:
        assert await forget_old_answers(tx) == 0
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    async with db.transaction() as tx:
        assert await forget_old_answers(tx) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\0b"])
async def test_a_key_that_cannot_be_kept_is_bad_input(caller: Caller, key: str) -> None:
    with pytest.raises(BadIdempotencyKey):
        await caller.ask(key)
