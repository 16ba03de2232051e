"""What the API asks of live calls, and what becomes of it."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import pytest

from controlplane.base.ids import REQUEST, AccountId, LegId, bits_of, leg_of_call
from controlplane.calls.events import DigitsAsked, HangUpAsked, MuteAsked, Redirected
from controlplane.services.ask_control import (
    Asked,
    CallNotControllable,
    CallNotLive,
    LegNotFound,
    ask_control,
    get_request,
    load_asked,
)
from controlplane.store.channels import CONTROL
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.records import CallChanged, LegChanged, LegOpened, RequestAnswered
from controlplane.verbs.documents import Link
from tests.postgres.sample import NOW_MS, call_in_shard, entry, offered, queue_call


async def test_a_wish_reaches_the_owner_and_its_answer_the_one_who_asked(
    db: Database, account: AccountId, recorder: Recorder, told: asyncio.Queue[tuple[str, str]]
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call, account=account)])
    async with db.transaction() as tx:
        request = await ask_control(tx, account, call, MuteAsked("", leg_of_call(call), True))
        second = await ask_control(tx, account, call, Redirected("", Link("http://app/new")))
    assert await told.get() == (CONTROL, call)
    async with db.transaction() as tx:
        asked = await load_asked(tx, ["fs1"], {call}.__contains__)
        assert asked == {
            call: [
                Asked(request, call, MuteAsked(request, leg_of_call(call), True)),
                Asked(second, call, Redirected(second, Link("http://app/new"))),
            ]
        }
    await recorder.submit(
        [entry(call, 1, RequestAnswered(request, ""), RequestAnswered(second, "no"), account=account)]
    )
    async with db.transaction() as tx:
        first, other = await get_request(tx, account, request), await get_request(tx, account, second)
        assert (first.state, first.problem, first.kind) == ("done", None, "MuteAsked")
        assert (other.state, other.problem) == ("failed", "no")
        assert await load_asked(tx, ["fs1"], lambda _: True) == {}


async def test_a_wish_in_words_of_another_version_keeps_nobody_from_the_others(
    db: Database, account: AccountId, recorder: Recorder, url: str
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call, account=account)])
    async with db.transaction() as tx:
        strange = await ask_control(tx, account, call, HangUpAsked(""))
        known = await ask_control(tx, account, call, HangUpAsked(""))
    with psycopg.connect(url) as connection:
        uuid = UUID(int=bits_of(REQUEST, strange))
        connection.execute("UPDATE control_requests SET kind = 'WhisperAsked' WHERE request_id = %s", [uuid])
    async with db.transaction() as tx:
        assert await load_asked(tx, ["fs1"], lambda _: True) == {call: [Asked(known, call, HangUpAsked(known))]}


async def test_wishes_of_a_call_that_ends_fail(db: Database, account: AccountId, recorder: Recorder) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call, account=account)])
    async with db.transaction() as tx:
        done = await ask_control(tx, account, call, HangUpAsked(""))
        late = await ask_control(tx, account, call, DigitsAsked("", leg_of_call(call), "1"))
    await recorder.submit(
        [entry(call, 1, RequestAnswered(done, ""), CallChanged(status="completed", ended_ms=NOW_MS), account=account)]
    )
    async with db.transaction() as tx:
        assert (await get_request(tx, account, done)).state == "done"
        failed = await get_request(tx, account, late)
        assert (failed.state, failed.problem) == ("failed", "call-not-live")
        with pytest.raises(CallNotLive):
            await ask_control(tx, account, call, HangUpAsked(""))


async def test_what_cannot_be_asked_is_refused(db: Database, account: AccountId, recorder: Recorder) -> None:
    live, queued = call_in_shard(1), call_in_shard(1)
    await queue_call(db, queued, account)
    ended, never = leg_of_call(call_in_shard(1)), LegId(leg_of_call(call_in_shard(1)))
    await recorder.submit(
        [
            offered(live, account=account),
            entry(live, 1, LegOpened(ended, "dial_target", "+15550001111", "+15550003333"), account=account),
        ]
    )
    await recorder.submit([entry(live, 2, LegChanged(ended, ended_ms=NOW_MS), account=account)])
    async with db.transaction() as tx:
        with pytest.raises(CallNotControllable):
            await ask_control(tx, account, queued, HangUpAsked(""))
        for leg in (ended, never, LegId("no leg")):
            with pytest.raises(LegNotFound):
                await ask_control(tx, account, live, HangUpAsked("", leg))
