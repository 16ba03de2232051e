"""Deliveries as they go out: to real HTTP servers, from a real outbox."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from controlplane.base.ids import AccountId, CallId, Token
from controlplane.hooks.client import HookClient
from controlplane.hooks.limits import Limits
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.records import EventPublished
from controlplane.tasks.deliveries import Courier
from tests.postgres.sample import VAULT, call_in_shard, new_account, offered, rows

PATIENT = Limits(read_ms=60_000, total_ms=60_000)  # nothing here is late by the clock


@dataclass(slots=True)
class Receiver:
    """An application's webhook. It answers when `lets` has let it, and notes what it was told and how much at once."""

    lets: Callable[[str], Awaitable[None]]
    told: list[tuple[str, int]] = field(default_factory=list)  # call, sequence
    most_at_once: int = 0
    url: str = ""
    _at_once: int = 0

    async def hear(self, request: web.Request) -> web.Response:
        event = await request.json()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self.lets(event["call_id"])
        finally:
            self._at_once -= 1
        self.told.append((event["call_id"], event["sequence"]))
        return web.Response(status=204)


@dataclass(slots=True)
class Outcomes:
    """Counts attempts, and tells when there were as many as were waited for."""

    seen: Counter[str] = field(default_factory=Counter)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _telling: set[asyncio.Task[None]] = field(default_factory=set)

    def delivery_attempted(self, outcome: str) -> None:
        self.seen[outcome] += 1
        self._telling.add(asyncio.create_task(self._tell()))

    async def attempts(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.seen.total() >= count)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def at_once(_: str) -> None:
    """Answer without waiting."""


@asynccontextmanager
async def receiving(lets: Callable[[str], Awaitable[None]] = at_once) -> AsyncIterator[Receiver]:
    receiver = Receiver(lets)
    app = web.Application()
    app.router.add_post("/", receiver.hear)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@pytest.fixture
async def hooks() -> AsyncIterator[HookClient]:
    async with HookClient(allow_private=True, limits=PATIENT) as hooks:
        yield hooks


@pytest.fixture
def outcomes() -> Outcomes:
    return Outcomes()


async def publish(
    recorder: Recorder, account: AccountId, hook: str, *, calls: int = 1, events: int = 1
) -> Sequence[CallId]:
    """Calls of an account, each with so many events to be told."""
    made = [call_in_shard(1) for _ in range(calls)]
    for call in made:
        writes = [EventPublished(Token(f"{call}.{number}"), "call.x", "{}", None, hook) for number in range(events)]
        await recorder.submit([offered(call, *writes, account=account)])
    return made


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else(
    db: Database, account: AccountId, recorder: Recorder, hooks: HookClient, outcomes: Outcomes
) -> None:
    other, others_were_told = await new_account(db, "Other"), asyncio.Event()

    async def until_others_were_told(_: str) -> None:
        await others_were_told.wait()

    async with (
        receiving(until_others_were_told) as slow,
        receiving() as quick,
        Courier(db, VAULT, hooks, outcomes) as courier,
    ):
        held = await publish(recorder, account, slow.url, calls=30)
        calls = await publish(recorder, other, quick.url, calls=30, events=3)
        await courier.deliver_due()
        await outcomes.attempts(90)
        assert sorted(quick.told) == sorted((call, number) for call in calls for number in range(3))
        assert slow.told == []
        others_were_told.set()
        await outcomes.attempts(120)

    assert sorted(slow.told) == sorted((call, 0) for call in held)
    assert outcomes.seen == {"delivered": 120}


async def test_events_of_a_call_are_told_in_their_order_without_being_asked_for_again(
    db: Database, account: AccountId, recorder: Recorder, hooks: HookClient, outcomes: Outcomes
) -> None:
    async with receiving() as receiver, Courier(db, VAULT, hooks, outcomes) as courier:
        [call] = await publish(recorder, account, receiver.url, events=5)
        await courier.deliver_due()
        await outcomes.attempts(5)

    assert receiver.told == [(call, number) for number in range(5)]


async def test_couriers_of_many_workers_tell_everything_once(
    db: Database, account: AccountId, recorder: Recorder, hooks: HookClient, outcomes: Outcomes
) -> None:
    async with (
        receiving() as receiver,
        Courier(db, VAULT, hooks, outcomes) as one,
        Courier(db, VAULT, hooks, outcomes) as two,
    ):
        calls = await publish(recorder, account, receiver.url, calls=20, events=4)
        await asyncio.gather(one.deliver_due(), two.deliver_due(), one.deliver_due())
        await outcomes.attempts(80)

    assert len(receiver.told) == 80
    for call in calls:
        assert [number for told, number in receiver.told if told == call] == [0, 1, 2, 3]


async def test_no_more_goes_out_at_once_than_there_are_places(
    db: Database, account: AccountId, recorder: Recorder, hooks: HookClient, outcomes: Outcomes
) -> None:
    three = asyncio.Barrier(3)

    async def when_there_are_three(_: str) -> None:
        await three.wait()

    async with (
        receiving(when_there_are_three) as receiver,
        Courier(db, VAULT, hooks, outcomes, at_once=3) as courier,
    ):
        await publish(recorder, account, receiver.url, calls=12)
        await courier.deliver_due()
        await outcomes.attempts(12)

    assert (len(receiver.told), receiver.most_at_once) == (12, 3)


async def test_leaving_waits_for_what_is_under_way_and_begins_no_more(
    db: Database, account: AccountId, recorder: Recorder, hooks: HookClient, outcomes: Outcomes, url: str
) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def when_it_may(_: str) -> None:
        asked.set()
        await may_answer.wait()

    async with receiving(when_it_may) as receiver:
        async with Courier(db, VAULT, hooks, outcomes) as courier:
            [call] = await publish(recorder, account, receiver.url, events=2)
            await courier.deliver_due()
            await asked.wait()
            asyncio.get_running_loop().call_soon(may_answer.set)  # while it leaves
        assert await courier.deliver_due() == 0

    assert receiver.told == [(call, 0)]
    states = rows(url, "SELECT number, state FROM deliveries ORDER BY number")
    assert states == [{"number": 0, "state": "delivered"}, {"number": 1, "state": "pending"}]


async def test_an_attempt_that_is_broken_off_counts_for_nothing(
    db: Database, account: AccountId, recorder: Recorder, hooks: HookClient, outcomes: Outcomes, url: str
) -> None:
    asked, is_left = asyncio.Event(), asyncio.Event()

    async def when_it_is_left(_: str) -> None:
        asked.set()
        await is_left.wait()

    async with receiving(when_it_is_left) as receiver:
        async with Courier(db, VAULT, hooks, outcomes, finish_within_s=0) as courier:
            await publish(recorder, account, receiver.url)
            await courier.deliver_due()
            await asked.wait()
        is_left.set()

    assert rows(url, "SELECT state, attempts FROM deliveries") == [{"state": "pending", "attempts": 0}]
