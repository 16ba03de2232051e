from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from controlplane.base.errors import CallplaneError, Conflict, NotFound
from controlplane.store.database import Database, DatabaseAway, Transaction
from controlplane.store.gathering import Gathering, TooManyAsk
from controlplane.store.queries import query
from tests.postgres.sample import rows

_TELL = query("tell")


class Scribe:
    """Doubles numbers; remembers who was asked together. 13 is an error, 0 breaks everything."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, tx: Transaction, questions: Sequence[int]) -> list[int | CallplaneError]:
        self.batches.append(list(questions))
        await self.may_go_on.wait()
        await tx.run(_TELL, channel="x", payload="")
        if 0 in questions:
            raise ZeroDivisionError
        return [Conflict("unlucky") if question == 13 else question * 2 for question in questions]


async def test_questions_of_one_moment_share_a_transaction(db: Database) -> None:
    scribe = Scribe()
    gathering = Gathering(db.transaction, scribe)

    answers = await asyncio.gather(*(gathering.ask(number) for number in (1, 2, 3)))

    assert (answers, scribe.batches) == ([2, 4, 6], [[1, 2, 3]])


async def test_questions_that_come_meanwhile_wait_and_share_the_next(db: Database) -> None:
    scribe = Scribe()
    gathering = Gathering(db.transaction, scribe, most=2)
    scribe.may_go_on.clear()
    first = asyncio.create_task(gathering.ask(1))
    while not scribe.batches:
        await asyncio.sleep(0)
    others = [asyncio.create_task(gathering.ask(number)) for number in (2, 3, 4)]
    await asyncio.sleep(0)
    scribe.may_go_on.set()

    assert await asyncio.gather(first, *others) == [2, 4, 6, 8]
    assert scribe.batches == [[1], [2, 3], [4]]


async def test_an_error_is_for_the_one_who_asked_for_it(db: Database) -> None:
    gathering = Gathering(db.transaction, Scribe())

    answers = await asyncio.gather(*(gathering.ask(number) for number in (1, 13, 3)), return_exceptions=True)

    assert [str(answer) for answer in answers] == ["2", "unlucky", "6"]


async def test_what_breaks_the_transaction_reaches_everyone_and_the_next_goes_well(db: Database) -> None:
    gathering = Gathering(db.transaction, Scribe())

    broken = await asyncio.gather(gathering.ask(0), gathering.ask(1), return_exceptions=True)

    assert [type(answer) for answer in broken] == [ZeroDivisionError, ZeroDivisionError]
    assert await gathering.ask(1) == 2


async def test_without_a_database_everyone_is_told_so() -> None:
    async with Database("postgresql://127.0.0.1:1/nothing", wait_s=0.05) as away:
        gathering = Gathering(away.autocommit, Scribe())
        answers = await asyncio.gather(gathering.ask(1), gathering.ask(2), return_exceptions=True)

    assert [type(answer) for answer in answers] == [DatabaseAway, DatabaseAway]


async def test_who_gives_up_waiting_harms_nobody(db: Database) -> None:
    scribe = Scribe()
    gathering = Gathering(db.transaction, scribe)
    impatient = asyncio.create_task(gathering.ask(1))
    patient = asyncio.create_task(gathering.ask(2))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == 4


async def test_what_a_batch_writes_is_committed_before_anyone_is_told(db: Database, url: str) -> None:
    async def write(tx: Transaction, questions: Sequence[str]) -> list[str | CallplaneError]:
        for name in questions:
            await tx.run(
                query("insert_account"), account_id=name, name="Acme", auth_token=b"", cps_limit=None, channel_cap=None
            )
        return [NotFound("late") if name.endswith("2") else name for name in questions]

    gathering = Gathering(db.transaction, write)
    names = ["acc_00000000000000000000000001", "acc_00000000000000000000000002"]

    await asyncio.gather(*(gathering.ask(name) for name in names), return_exceptions=True)

    assert rows(url, "SELECT count(*) FROM accounts") == [{"count": 2}]


@asynccontextmanager
async def hanging(may_fail: asyncio.Event) -> AsyncIterator[Transaction]:
    """A database that lets everybody wait, and then is away."""
    await may_fail.wait()
    raise DatabaseAway
    yield


async def test_whoever_came_while_the_database_was_found_to_be_away_is_told_with_the_first() -> None:
    may_fail = asyncio.Event()
    gathering = Gathering(lambda: hanging(may_fail), Scribe(), most=2)
    asking = [asyncio.create_task(gathering.ask(number)) for number in range(1, 8)]
    await asyncio.sleep(0)
    may_fail.set()

    answers = await asyncio.gather(*asking, return_exceptions=True)

    assert [type(answer) for answer in answers] == [DatabaseAway] * 7


async def test_a_question_of_which_the_answer_is_wanted_no_more_is_not_asked(db: Database) -> None:
    scribe = Scribe()
    may_begin = asyncio.Event()

    @asynccontextmanager
    async def begin() -> AsyncIterator[Transaction]:
        await may_begin.wait()
        async with db.transaction() as tx:
            yield tx

    gathering = Gathering(begin, scribe, most=2)
    asking = [asyncio.create_task(gathering.ask(number)) for number in (1, 2, 3, 4)]
    for _ in range(3):
        await asyncio.sleep(0)
    asking[0].cancel()
    asking[2].cancel()
    await asyncio.sleep(0)
    may_begin.set()

    assert [await asking[1], await asking[3]] == [4, 8]
    assert scribe.batches == [[2], [4]]


async def test_where_too_many_wait_already_one_more_is_told_at_once() -> None:
    gathering = Gathering(lambda: hanging(asyncio.Event()), Scribe(), most=1, most_waiting=2)
    waiting = [asyncio.create_task(gathering.ask(1))]
    for _ in range(3):
        await asyncio.sleep(0)
    waiting += [asyncio.create_task(gathering.ask(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyAsk):
        await gathering.ask(4)
    waiting[1].cancel()
    await asyncio.sleep(0)
    waiting.append(asyncio.create_task(gathering.ask(5)))
    await asyncio.sleep(0)
    assert not waiting[-1].done()
    for asking in waiting:
        asking.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
