from __future__ import annotations

import asyncio
from collections.abc import Callable

import psycopg
import pytest

from controlplane.base.errors import Conflict, InvalidId, NotFound
from controlplane.services.load_routing import load_routing
from controlplane.store.database import Database, DatabaseAway, DatabaseBehind
from controlplane.store.queries import query
from tests.postgres.sample import ACME, add_account, call_in_shard, queue_call_in, rows
from tests.still_time import StillTime


def cut(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'callplane cut'"
        )


async def test_a_transaction_that_fails_leaves_nothing_behind(db: Database, url: str) -> None:
    async def fail() -> None:
        async with db.transaction() as tx:
            await queue_call_in(tx, call_in_shard(1))
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    assert rows(url, "SELECT 1 FROM calls") == []


async def test_a_database_that_was_not_migrated_says_what_to_do(fresh_url: Callable[[], str]) -> None:
    async with Database(fresh_url(), size=1) as db:
        with pytest.raises(DatabaseBehind, match="run `callplane migrate`"):
            async with db.transaction() as tx:
                await load_routing(tx)


async def test_a_row_that_is_there_already_is_a_conflict(db: Database) -> None:
    await add_account(db)
    with pytest.raises(Conflict):
        await add_account(db)


async def test_a_row_that_refers_to_nothing_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        async with db.transaction() as tx:
            await tx.run(
                query("insert_secret"), secret_id="sec_01HF7YAT00000000000000000A", account_id=ACME, name="x", value=b""
            )


async def test_what_is_no_id_is_refused_before_it_reaches_the_database(db: Database) -> None:
    async with db.transaction() as tx:
        for account_id in ("acc_1", "cs_01HF7YAT00000000000000000A"):
            with pytest.raises(InvalidId):
                await tx.run(query("find_account"), account_id=account_id)


async def test_a_database_that_is_away_is_said_to_be(url: str) -> None:
    async with Database("postgresql://127.0.0.1:1/none", wait_s=0.1) as db:
        with pytest.raises(DatabaseAway):
            async with db.transaction():
                pass


async def test_a_pool_that_is_used_up_says_so_and_recovers(url: str, time: StillTime) -> None:
    async def use() -> None:
        async with db.transaction():
            pass

    async with Database(url, size=1, wait_s=5) as db:
        async with db.transaction():
            waiting = asyncio.create_task(use())
            await time.move(5)
            with pytest.raises(DatabaseAway):
                await waiting
            assert db.usage() == (1, 1)
        await use()


async def test_connections_that_were_cut_are_not_given_out(url: str) -> None:
    async with Database(url, size=2, name="callplane cut") as db:
        async with db.transaction(), db.transaction():
            pass
        cut(url)
        async with db.transaction() as tx:
            assert await tx.maybe(dict, query("find_account"), account_id=ACME) is None


async def test_each_question_sees_what_others_commit_meanwhile(db: Database) -> None:
    async with db.autocommit() as tx:
        before = await tx.run(query("find_account"), account_id=ACME)
        await add_account(db)
        after = await tx.run(query("find_account"), account_id=ACME)

    assert (before, after) == (0, 1)


async def test_a_connection_that_answered_questions_serves_transactions_again(url: str) -> None:
    async with Database(url, size=1) as db:
        async with db.autocommit() as tx:
            await tx.run(query("find_account"), account_id=ACME)
        async with db.connection() as connection:
            assert not connection.autocommit


async def test_a_session_cut_in_the_middle_is_a_database_that_is_away(url: str) -> None:
    async def ask() -> None:
        async with db.transaction() as tx:
            cut(url)
            await tx.maybe(dict, query("find_account"), account_id=ACME)

    async with Database(url, size=2, name="callplane cut") as db:
        with pytest.raises(DatabaseAway):
            await ask()


async def test_a_session_that_waited_too_long_in_its_transaction_is_a_database_that_is_away(url: str) -> None:
    """PostgreSQL was frozen, or we were: then it says so with an error of another class than all other ends."""

    async def ask() -> None:
        async with db.transaction() as tx:
            await tx.connection.execute("SET idle_in_transaction_session_timeout = 1")
            while rows(url, "SELECT 1 FROM pg_stat_activity WHERE application_name = 'callplane idle'"):
                pass  # the server ends it
            await tx.maybe(dict, query("find_account"), account_id=ACME)

    async with Database(url, size=1, name="callplane idle") as db:
        with pytest.raises(DatabaseAway):
            await ask()


async def test_a_database_that_takes_nothing_is_away(url: str) -> None:
    """A standby, say, before it is promoted."""

    async def forget() -> None:
        async with db.transaction() as tx:
            await tx.connection.execute("SET TRANSACTION READ ONLY")
            await tx.run(query("forget_answers"))

    async with Database(url, size=1) as db:
        with pytest.raises(DatabaseAway):
            await forget()


async def test_a_task_that_is_cancelled_gives_its_connection_back(url: str) -> None:
    async with Database(url, size=1) as db:
        inside = asyncio.Event()

        async def hold() -> None:
            async with db.transaction():
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        await inside.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with db.transaction():
            pass
