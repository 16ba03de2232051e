from __future__ import annotations

import asyncio
import itertools
import json

import psycopg

from controlplane.base.ids import AccountId, Token
from controlplane.services.accounts import read_auth_token
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.deliver import Delivery, Outbox, measure_outbox, record_attempt, take_due_deliveries
from controlplane.services.events import (
    list_attempts,
    list_events,
)
from controlplane.services.schedule import Attempt
from controlplane.services.webhook_secrets import create_secret
from controlplane.store.channels import OUTBOX
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.notify import Listener
from controlplane.store.pages import Window
from controlplane.store.records import CallbackQueued, EventPublished, Write
from controlplane.verbs.documents import Link
from tests.postgres.sample import VAULT, call_in_shard, new_account, offered

HOOK = "http://app/hook"
_tokens = itertools.count()
OK, BAD = Attempt(200, None, 12), Attempt(500, "Internal Server Error", 34)


def told(name: str, hook: str | None = HOOK) -> EventPublished:
    return EventPublished(Token(f"{next(_tokens)}"), f"call.{name}", '{"status":"x"}', None, hook)


def callback(value: str) -> CallbackQueued:
    return CallbackQueued("http://app/status", "GET", f'[["CallStatus","{value}"]]')


async def take(db: Database, **limits: int) -> list[Delivery]:
    async with db.transaction() as tx:
        return await take_due_deliveries(tx, VAULT, **limits)


async def settle(db: Database, delivery: Delivery, attempt: Attempt = OK) -> str | None:
    async with db.transaction() as tx:
        return await record_attempt(tx, delivery, attempt)


def let_time_pass(url: str, interval: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE deliveries SET due_at = due_at - %(by)s::interval, leased_until = leased_until - %(by)s::interval",
            {"by": interval},
        )


async def test_a_delivery_has_all_that_its_request_needs(db: Database, account: AccountId, recorder: Recorder) -> None:
    async with db.transaction() as tx:
        secret = await create_secret(tx, VAULT, account, "main")
        draft = AppDraft("App", Link("http://app/flow"), webhook_api_version="2025-08-01", secret_id=secret.secret_id)
        app = await create_app(tx, account, draft)
        auth_token = await read_auth_token(tx, VAULT, account)
    call = call_in_shard(1)
    writes: list[Write] = [told("a"), callback("ringing")]
    await recorder.submit([offered(call, *writes, account=account, app=app.app_id)])
    event, form = await take(db)
    assert event.event is not None
    assert (event.event.kind, json.loads(event.event.data), event.event.sequence) == (
        "call.a",
        {"from": "+15550001111", "to": "+15550002222", "direction": "inbound", "status": "x"},
        0,
    )
    assert (event.event.app_id, event.event.api_version) == (app.app_id, "2025-08-01")
    assert (event.url, event.method, event.secret, event.auth_token) == (
        "http://app/hook", "POST", secret.value, auth_token,
    )  # fmt: skip
    assert (form.url, form.method, form.parameters, form.event) == (
        "http://app/status", "GET", (("CallStatus", "ringing"),), None,
    )  # fmt: skip
    assert form.secret == auth_token
    assert (event.token, form.token) == (f"{call}.e0", f"{call}.c0")
    assert secret.value not in repr(event)


async def test_deliveries_of_a_call_go_out_one_after_another(
    db: Database, account: AccountId, recorder: Recorder, url: str
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call, *[told(name) for name in "abc"], account=account)])
    [first] = await take(db)
    assert await take(db) == []
    assert await settle(db, first, BAD) == "pending"
    assert await take(db) == []
    let_time_pass(url, "5 seconds")
    [again] = await take(db)
    assert (again.number, again.attempt, again.token) == (0, 2, first.token)
    assert await settle(db, again) == "delivered"
    [second] = await take(db)
    await settle(db, second)
    [third] = await take(db)
    await settle(db, third)
    assert [second.number, third.number] == [1, 2]
    assert await take(db) == []


async def test_events_and_callbacks_of_a_call_do_not_wait_for_each_other(
    db: Database, account: AccountId, recorder: Recorder
) -> None:
    call = call_in_shard(1)
    writes: list[Write] = [told("a"), callback("x"), told("b"), callback("y")]
    await recorder.submit([offered(call, *writes, account=account)])
    event, form = await take(db)
    await settle(db, event, BAD)
    assert await take(db) == []
    await settle(db, form)
    assert [(one.lane, one.number) for one in await take(db)] == [(1, 1)]


async def test_many_workers_take_each_delivery_once(db: Database, account: AccountId, recorder: Recorder) -> None:
    calls = [call_in_shard(index % 16) for index in range(60)]
    await asyncio.gather(*[recorder.submit([offered(call, told("a"), account=account)]) for call in calls])
    limits = {"most": 10, "most_per_account": 1000, "most_per_receiver": 1000}
    answers = await asyncio.gather(*[take(db, **limits) for _ in range(10)])
    taken = [one.call_id for answer in answers for one in answer]
    assert len(taken) == len(set(taken))
    while more := await take(db, **limits):
        taken += [one.call_id for one in more]
    assert sorted(taken) == sorted(calls)


async def test_what_a_worker_that_died_had_taken_is_given_out_again(
    db: Database, account: AccountId, recorder: Recorder, url: str
) -> None:
    await recorder.submit([offered(call_in_shard(1), told("a"), account=account)])
    [lost] = await take(db, lease_s=60)
    let_time_pass(url, "60 seconds")
    [found] = await take(db)
    assert (found.token, found.attempt) == (lost.token, 1)
    assert await settle(db, lost) is None
    assert await settle(db, found) == "delivered"


async def test_a_slow_account_leaves_room_for_others(db: Database, account: AccountId, recorder: Recorder) -> None:
    other = await new_account(db, "Other")
    for _ in range(5):
        await recorder.submit([offered(call_in_shard(1), told("a"), account=account)])
    await recorder.submit([offered(call_in_shard(1), told("a"), account=other)])
    taken = await take(db, most_per_account=2)
    assert sorted(one.account_id for one in taken) == sorted([account, account, other])
    assert await take(db, most_per_account=2) == []


async def test_what_waits_behind_a_slow_account_is_not_what_is_looked_at(
    db: Database, account: AccountId, recorder: Recorder
) -> None:
    other = await new_account(db, "Other")
    for _ in range(4):
        await recorder.submit([offered(call_in_shard(1), told("a"), account=account)])
    await recorder.submit([offered(call_in_shard(1), told("a"), account=other)])
    limits = {"most_per_account": 1, "considered": 2}

    assert [one.account_id for one in await take(db, **limits)] == [account]
    assert [one.account_id for one in await take(db, **limits)] == [other]


async def test_a_slow_receiver_leaves_room_for_others_of_its_account(
    db: Database, account: AccountId, recorder: Recorder
) -> None:
    hooks = ["http://slow/a", "http://slow/b?c", "http://slow", "http://slow:81/", "http://fast/hook"]
    for hook in hooks:
        await recorder.submit([offered(call_in_shard(1), told("a", hook), account=account)])
    limits = {"most_per_account": 4, "most_per_receiver": 2, "considered": 3}

    assert [one.url for one in await take(db, **limits)] == ["http://slow/a", "http://slow/b?c"]
    assert [one.url for one in await take(db, **limits)] == ["http://slow:81/", "http://fast/hook"]
    assert await take(db, **limits) == []


async def test_after_the_last_attempt_a_delivery_is_dead_and_the_next_goes_out(
    db: Database, account: AccountId, recorder: Recorder, url: str
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call, told("a"), told("b"), account=account)])
    states = []
    for _ in range(10):
        let_time_pass(url, "1 day")
        [delivery] = await take(db)
        states.append(await settle(db, delivery, BAD))
    assert states == ["pending"] * 9 + ["dead"]
    [following] = await take(db)
    assert following.number == 1
    async with db.transaction() as tx:
        dead = min((await list_events(tx, account, Window())).data, key=lambda event: event.sequence)
        attempts = await list_attempts(tx, account, dead.event_id)
    assert (dead.delivery_state, dead.attempts, dead.last_status, dead.last_error, dead.delivered_at) == (
        "dead", 10, 500, "Internal Server Error", None,
    )  # fmt: skip
    assert [(one.status, one.duration_ms) for one in attempts] == [(500, 34)] * 10


async def test_workers_are_told_when_something_is_due(account: AccountId, recorder: Recorder, url: str) -> None:
    heard, listening = asyncio.Queue[str](), asyncio.Event()
    listener = Listener(url, [OUTBOX], on_notify=lambda channel, _: heard.put_nowait(channel), on_gap=listening.set)
    await listener.start()
    await listening.wait()
    await recorder.submit([offered(call_in_shard(1), told("a"), account=account)])
    assert await heard.get() == OUTBOX
    await listener.stop()


async def test_the_outbox_says_how_far_behind_it_is(
    db: Database, account: AccountId, recorder: Recorder, url: str
) -> None:
    async with db.transaction() as tx:
        assert await measure_outbox(tx) == Outbox(0.0, 0)
    await recorder.submit([offered(call_in_shard(1), told("a"), told("b"), account=account)])
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE deliveries SET due_at = now() - interval '1 minute'")
    async with db.transaction() as tx:
        measured = await measure_outbox(tx)
    assert (round(measured.oldest_s), measured.deliveries) == (60, 2)
