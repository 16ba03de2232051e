"""The log of what happened to an account's calls, and of how it was told."""

from __future__ import annotations

import itertools
import json

import pytest

from controlplane.base.ids import AccountId, CallId, LegId, Token
from controlplane.services.deliver import Delivery, record_attempt, take_due_deliveries
from controlplane.services.events import (
    Event,
    EventFilter,
    EventNotThrough,
    get_event,
    list_events,
    redeliver_event,
)
from controlplane.services.schedule import Attempt
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.pages import Window
from controlplane.store.records import EventPublished
from tests.postgres.sample import VAULT, call_in_shard, entry, offered

_tokens = itertools.count()


def told(name: str, hook: str | None = "http://app/hook") -> EventPublished:
    return EventPublished(Token(f"{next(_tokens)}"), f"call.{name}", '{"status":"x"}', None, hook)


async def take(db: Database) -> list[Delivery]:
    async with db.transaction() as tx:
        return await take_due_deliveries(tx, VAULT)


async def settle(db: Database, delivery: Delivery) -> str | None:
    async with db.transaction() as tx:
        return await record_attempt(tx, delivery, Attempt(200, None, 12))


async def _by_sequence(db: Database, account: AccountId) -> list[Event]:
    async with db.transaction() as tx:
        return sorted((await list_events(tx, account, Window())).data, key=lambda event: -event.sequence)


async def test_the_log_tells_what_was_delivered_and_delivers_it_again(
    db: Database, account: AccountId, recorder: Recorder
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call, told("a"), account=account)])
    [event] = await _by_sequence(db, account)
    assert (event.delivery_state, event.attempts, event.kind) == ("pending", 0, "call.a")
    with pytest.raises(EventNotThrough):
        async with db.transaction() as tx:
            await redeliver_event(tx, account, event.event_id)
    [delivery] = await take(db)
    await settle(db, delivery)
    async with db.transaction() as tx:
        delivered = await get_event(tx, account, event.event_id)
        assert (delivered.delivery_state, delivered.attempts, delivered.last_status) == ("delivered", 1, 200)
        assert delivered.delivered_at is not None
        await redeliver_event(tx, account, event.event_id)
    [again] = await take(db)
    assert (again.token, again.attempt) == (delivery.token, 2)
    assert await settle(db, again) == "delivered"


async def test_an_event_that_is_told_to_nobody_is_in_the_log_alone(
    db: Database, account: AccountId, recorder: Recorder
) -> None:
    await recorder.submit([offered(call_in_shard(1), told("a", hook=None), account=account)])
    assert await take(db) == []
    [event] = await _by_sequence(db, account)
    assert event.delivery_state is None
    with pytest.raises(EventNotThrough):
        async with db.transaction() as tx:
            await redeliver_event(tx, account, event.event_id)


async def test_events_are_listed_by_what_is_asked_for(db: Database, account: AccountId, recorder: Recorder) -> None:
    one, two = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(one, told("a"), account=account), entry(one, 1, told("b"), account=account)])
    await recorder.submit([offered(two, told("a", hook=None), account=account)])
    [delivery] = await take(db)
    await settle(db, delivery)
    async with db.transaction() as tx:

        async def found(which: EventFilter) -> list[tuple[CallId, int]]:
            page = await list_events(tx, account, Window(), which)
            return sorted((event.call_id, event.sequence) for event in page.data)

        assert await found(EventFilter()) == sorted([(one, 0), (one, 1), (two, 0)])
        assert await found(EventFilter(call_id=two)) == [(two, 0)]
        assert await found(EventFilter(kind="call.b")) == [(one, 1)]
        assert await found(EventFilter(delivery_states=("delivered",))) == [(one, 0)]
        [first] = (await list_events(tx, account, Window(), EventFilter(call_id=two))).data
        assert await found(EventFilter(occurred_after=first.occurred_at)) == [(one, 1)]


async def test_an_event_says_who_calls_whom_unless_it_is_of_another_leg_or_says_so_itself(
    db: Database, account: AccountId, recorder: Recorder
) -> None:
    told = (
        EventPublished(Token("t0"), "call.a", '{"status":"x"}'),
        EventPublished(Token("t1"), "call.b", '{"from":"anonymous","to":"sip:a@b.example"}'),
        EventPublished(Token("t2"), "leg.c", '{"to":"+15550003333"}', LegId("018bcfe5-6800-0000-0000-00000000001a")),
    )
    await recorder.submit([offered(call_in_shard(1), *told, account=account)])
    async with db.transaction() as tx:
        events = (await list_events(tx, account, Window())).data

    assert {event.kind: json.loads(event.data) for event in events} == {
        "call.a": {"from": "+15550001111", "to": "+15550002222", "direction": "inbound", "status": "x"},
        "call.b": {"from": "anonymous", "to": "sip:a@b.example", "direction": "inbound"},
        "leg.c": {"to": "+15550003333"},
    }
