from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from controlplane.base.errors import InvalidNumber, NotFound
from controlplane.base.ids import AccountId, CallId, leg_of_call, shard_of
from controlplane.calls.facts import Direction, Facts
from controlplane.services.accounts import change_account
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.calls import CallFilter, get_call, list_calls, list_legs, read_timeline
from controlplane.services.cancel_queued_call import CallNotQueued, cancel_queued_call, expire_queued_calls
from controlplane.services.numbers import add_number
from controlplane.services.place_call import (
    AccountSuspended,
    AppInactive,
    NothingToSay,
    NumberNotOwned,
    Placing,
    place_call,
)
from controlplane.store.channels import QUEUE
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.pages import Window
from controlplane.store.queue import Limits, claim_calls
from controlplane.store.records import CallChanged, LegChanged, LegOpened, NoteWritten
from controlplane.verbs.documents import Link, StatusCallback
from tests.postgres.sample import NOW_MS, SERVER, call_in_shard, entry, new_account, offered, rows

FROM, TO = "+15550001111", "+15550002222"
STATUS = StatusCallback(Link("http://app/status"))
PLACING = Placing(FROM, TO, document=Link("http://app/flow"), status_callback=STATUS, webhook_url="http://app/hook")
WIDE = Limits(cps_limit=1000, channel_cap=1000, gateway="gw", gateway_cps_limit=1000, gateway_channel_cap=1000)


@pytest.fixture
async def account(db: Database) -> AccountId:
    account = await new_account(db)
    async with db.transaction() as tx:
        await add_number(tx, account, FROM)
    return account


async def place(db: Database, account: AccountId, placing: Placing = PLACING) -> CallId:
    async with db.transaction() as tx:
        return (await place_call(tx, account, placing)).call_id


async def test_a_placed_call_waits_with_all_its_facts_and_call_servers_are_told(
    db: Database, account: AccountId, told: asyncio.Queue[tuple[str, str]]
) -> None:
    call = await place(db, account)
    shard = shard_of(leg_of_call(call))
    assert await told.get() == (QUEUE, str(shard))
    [claimed] = await claim_calls(db, [("fs1", shard)], WIDE, server_id=SERVER)
    facts = claimed.facts
    assert facts == Facts(
        call, account, leg_of_call(call), "fs1", Direction.OUTBOUND_API, FROM, TO, document=Link("http://app/flow"),
        status_callback=STATUS, webhook_url="http://app/hook", salt=facts.salt,
    )  # fmt: skip
    assert len(facts.salt) == 64
    async with db.transaction() as tx:
        found = await get_call(tx, account, call)
    assert (found.status, found.direction, found.from_number, found.to_number) == ("queued", "outbound-api", FROM, TO)


async def test_what_the_request_leaves_open_the_app_says(db: Database, account: AccountId) -> None:
    draft = AppDraft(
        "App", Link("http://a/flow"), Link("http://a/fall"), "http://a/hook", status_callback=STATUS, record=True
    )
    async with db.transaction() as tx:
        app = await create_app(tx, account, draft)
    await place(db, account, Placing(FROM, "sip:bob@example.net", app.app_id))
    [claimed] = await claim_calls(db, [("fs1", shard) for shard in range(16)], WIDE, server_id=SERVER)
    facts = claimed.facts
    assert (facts.app, facts.document, facts.fallback, facts.webhook_url, facts.status_callback, facts.record) == (
        app.app_id, draft.flow, draft.fallback, draft.webhook_url, STATUS, True,
    )  # fmt: skip


async def test_what_cannot_be_placed_is_refused(db: Database, account: AccountId) -> None:
    bad = [
        (replace(PLACING, from_number="+15550009999"), NumberNotOwned),
        (replace(PLACING, from_number="5550009999"), InvalidNumber),
        (replace(PLACING, to_number="911"), InvalidNumber),
        (replace(PLACING, document=None), NothingToSay),
        (replace(PLACING, app_id="va_01HF7YAT00000000000000000A"), NotFound),
    ]
    for placing, error in bad:
        with pytest.raises(error):
            await place(db, account, placing)
    async with db.transaction() as tx:
        await place_call(tx, account, replace(PLACING, from_number="+15550009999"), any_caller=True)
        await change_account(tx, account, status="suspended", cps_limit=None, channel_cap=None)
        with pytest.raises(AccountSuspended):
            await place_call(tx, account, PLACING)


async def test_an_inactive_app_takes_no_calls(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        app = await create_app(tx, account, AppDraft("Support", Link("http://app/flow"), status="inactive"))
        with pytest.raises(AppInactive):
            await place_call(tx, account, replace(PLACING, app_id=app.app_id))


async def test_a_call_canceled_in_the_queue_ends_like_any_other(db: Database, account: AccountId, url: str) -> None:
    call = await place(db, account)
    async with db.transaction() as tx:
        await cancel_queued_call(tx, account, call)
    async with db.transaction() as tx:
        found = await get_call(tx, account, call)
        timeline = await read_timeline(tx, account, call)
        with pytest.raises(CallNotQueued):
            await cancel_queued_call(tx, account, call)
    assert (found.status, found.result, found.cause) == ("canceled", "canceled", "MANAGER_REQUEST")
    assert found.ended_at is not None
    assert [line.kind for line in timeline.lines] == ["CallPlaced", "HangUpAsked", "LegEnded"]
    assert rows(url, "SELECT sequence, kind FROM events ORDER BY 1") == [
        {"sequence": 0, "kind": "call.initiated"},
        {"sequence": 1, "kind": "call.failed"},
    ]
    assert rows(url, "SELECT lane, number, url FROM deliveries ORDER BY 1, 2") == [
        {"lane": 0, "number": 0, "url": "http://app/hook"},
        {"lane": 0, "number": 1, "url": "http://app/hook"},
        {"lane": 1, "number": 0, "url": "http://app/status"},
    ]
    assert await claim_calls(db, [("fs1", shard) for shard in range(16)], WIDE, server_id=SERVER) == []


async def test_a_claimed_call_cannot_be_canceled_as_queued(db: Database, account: AccountId) -> None:
    call = await place(db, account)
    await claim_calls(db, [("fs1", shard) for shard in range(16)], WIDE, server_id=SERVER)
    async with db.transaction() as tx:
        with pytest.raises(CallNotQueued):
            await cancel_queued_call(tx, account, call)


async def test_claiming_and_canceling_at_once_give_the_call_to_one_of_them(db: Database, account: AccountId) -> None:
    calls = [await place(db, account) for _ in range(10)]

    async def cancel(call: CallId) -> bool:
        try:
            async with db.transaction() as tx:
                await cancel_queued_call(tx, account, call)
        except CallNotQueued:
            return False
        return True

    claiming = asyncio.create_task(claim_calls(db, [("fs1", shard) for shard in range(16)], WIDE, server_id=SERVER))
    canceled = await asyncio.gather(*map(cancel, calls))
    claimed = {one.call_id for one in await claiming}
    claimed |= {
        one.call_id for one in await claim_calls(db, [("fs1", shard) for shard in range(16)], WIDE, server_id=SERVER)
    }
    assert claimed == {call for call, is_canceled in zip(calls, canceled, strict=True) if not is_canceled}


async def test_calls_that_waited_a_day_end_as_failed(db: Database, account: AccountId, url: str) -> None:
    old, new = await place(db, account), await place(db, account)
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE calls SET created_at = now() - interval '25 hours' "
            "WHERE call_id = (SELECT min(call_id::text)::uuid FROM calls)"
        )
    async with db.transaction() as tx:
        assert await expire_queued_calls(tx) == 1
        assert await expire_queued_calls(tx) == 0
        ended, waiting = await get_call(tx, account, min(old, new)), await get_call(tx, account, max(old, new))
    assert (ended.status, ended.reason, waiting.status) == ("failed", "queue-expired", "queued")


async def test_calls_are_listed_by_what_is_asked_for(db: Database, account: AccountId, recorder: Recorder) -> None:
    inbound, other = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(inbound, account=account)])
    await recorder.submit([offered(other)])
    placed = await place(db, account)
    async with db.transaction() as tx:

        async def found(which: CallFilter) -> list[str]:
            return [call.call_id for call in (await list_calls(tx, account, Window(), which)).data]

        assert await found(CallFilter()) == [placed, inbound]
        assert await found(CallFilter(statuses=("ringing", "busy"))) == [inbound]
        assert await found(CallFilter(direction="outbound-api")) == [placed]
        assert await found(CallFilter(from_number=FROM, to_number=TO)) == [placed, inbound]
        assert await found(CallFilter(from_number=TO)) == []
        start = datetime.fromtimestamp(NOW_MS / 1000, UTC)
        assert await found(CallFilter(created_before=start + timedelta(seconds=1))) == [inbound]
        assert await found(CallFilter(created_after=start + timedelta(seconds=1))) == [placed]
        page = await list_calls(tx, account, Window(1))
        assert [call.call_id for call in (await list_calls(tx, account, Window(1, page.next_cursor))).data] == [inbound]


async def test_legs_and_timeline_of_a_call(db: Database, account: AccountId, recorder: Recorder) -> None:
    call = call_in_shard(1)
    b_leg = leg_of_call(call_in_shard(1))
    await recorder.submit(
        [
            offered(call, account=account),
            entry(
                call,
                1,
                CallChanged(answered_ms=NOW_MS + 1000),
                LegOpened(b_leg, "dial_target", FROM, TO),
                account=account,
            ),
            entry(call, 2, LegChanged(b_leg, ended_ms=NOW_MS + 2000, cause="USER_BUSY"), account=account),
            entry(call, 3, NoteWritten(0, "warning", 12200, "odd", "Say[1]"), account=account),
        ]
    )
    async with db.transaction() as tx:
        legs = await list_legs(tx, account, call)
        timeline = await read_timeline(tx, account, call)
    assert [(leg.leg, leg.role, leg.is_live, leg.cause) for leg in legs] == [
        (leg_of_call(call), "primary", True, None),
        (b_leg, "dial_target", False, "USER_BUSY"),
    ]
    assert [line.seq for line in timeline.lines] == [0, 1, 2, 3]
    assert [(note.seq, note.text) for note in timeline.notes] == [(3, "odd")]
