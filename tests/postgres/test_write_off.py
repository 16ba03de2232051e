"""Calls that nobody can go on with get one verdict, and their tenants are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from controlplane.base.causes import Cause
from controlplane.base.ids import AccountId, CallId, leg_of_call
from controlplane.calls.events import CallOffered, CallPlaced, Entry, LegAnswered
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.machine import CallMachine
from controlplane.services.apps import AppDraft, create_app
from controlplane.services.cancel_queued_call import expire_queued_calls
from controlplane.services.write_off_call import write_off_call
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.store.derive import record_of
from controlplane.store.heirs import Heirs
from controlplane.store.journal import Recorder
from controlplane.store.records import CallChanged, JournalConflict, LegOpened, Record
from controlplane.verbs.documents import Link, StatusCallback, StatusEvent
from controlplane.wiring.records import DatabaseArchive
from controlplane.wiring.replay import replay_call
from tests.postgres.sample import NOW_MS, SERVER, VAULT, call_in_shard, offered, queue_call, rows

HOOK, STATUS = "http://app/hook", "http://app/status"
DRAFT = AppDraft(
    name="App", flow=Link("http://app/"), webhook_url=HOOK,
    status_callback=StatusCallback(Link(STATUS), frozenset({StatusEvent.COMPLETED})),
)  # fmt: skip
STRANGE = ("Sung", '{"a":1}')


def inbound(call: CallId, account: AccountId, app: str) -> Facts:
    return Facts(
        call, account, leg_of_call(call), "fs1", Direction.INBOUND, "+15550001111", "+15550002222", app=app,
        webhook_url=HOOK, status_callback=DRAFT.status_callback,
    )  # fmt: skip


def answered(facts: Facts) -> list[Record]:
    """A call's first two entries."""
    machine = CallMachine()
    entries = [Entry(0, NOW_MS, CallOffered(facts)), Entry(1, NOW_MS + 1000, LegAnswered(facts.a_leg))]
    return [record_of(facts, entry, machine.handle(entry)) for entry in entries]


def unreadable(record: Record) -> Record:
    return replace(record, kind=STRANGE[0], data=STRANGE[1])


async def write_off(db: Database, facts: Facts, cause: Cause = Cause.JOURNAL_UNREADABLE, **more: int) -> list[str]:
    async with db.transaction() as tx:
        return list(await write_off_call(tx, facts.account, facts.call, cause, **more))


def told(url: str) -> list[tuple[str, Any, Any]]:
    found = rows(url, "SELECT kind, sequence, data::text FROM events ORDER BY sequence")
    return [(row["kind"], row["sequence"], json.loads(row["data"]).get("reason")) for row in found]


@pytest.fixture
async def facts(db: Database, account: AccountId) -> Facts:
    async with db.transaction() as tx:
        app = await create_app(tx, account, DRAFT)
    return inbound(call_in_shard(1), account, app.app_id)


CASES: list[tuple[Sequence[int], tuple[str, str, str], list[tuple[str, Any, Any]]]] = [
    # Which entries cannot be read; status, result and reason; what the tenant is told.
    ([], ("completed", "completed", "journal-unreadable"), [
        ("call.initiated", 0, None), ("call.ringing", 1, None), ("call.answered", 2, None),
        ("call.completed", 3, "journal_unreadable"),
    ]),
    ([1], ("failed", "failed", "journal-unreadable"), [
        ("call.initiated", 0, None), ("call.ringing", 1, None), ("call.answered", 2, None),
        ("call.failed", 3, "journal_unreadable"),
    ]),
    ([0, 1], ("failed", "failed", "journal-unreadable"), [
        ("call.initiated", 0, None), ("call.ringing", 1, None), ("call.answered", 2, None),
        ("call.failed", 3, "journal_unreadable"),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "verdict", "events"), CASES)
async def test_a_call_has_one_verdict_and_its_tenant_is_told_however_much_of_its_journal_can_be_read(
    broken: Sequence[int], verdict: tuple[str, str, str], events: list[tuple[str, Any, Any]], db: Database,
    recorder: Recorder, facts: Facts, url: str,
) -> None:  # fmt: skip
    await recorder.submit([unreadable(one) if one.seq in broken else one for one in answered(facts)])
    assert await write_off(db, facts) == []
    assert await write_off(db, facts) == []
    assert rows(url, "SELECT status, result, reason, ended_at IS NOT NULL AS is_over FROM calls") == [
        {"status": verdict[0], "result": verdict[1], "reason": verdict[2], "is_over": True}
    ]
    assert told(url) == events
    assert rows(url, "SELECT lane, number, url FROM deliveries ORDER BY lane, number") == [
        *({"lane": 0, "number": number, "url": HOOK} for number in range(4)),
        {"lane": 1, "number": 0, "url": STATUS},
    ]
    assert [row["seq"] for row in rows(url, "SELECT seq FROM journal ORDER BY seq")] == [0, 1, 2]


async def test_whoever_still_has_the_call_finds_that_it_is_theirs_no_more(
    db: Database, recorder: Recorder, facts: Facts
) -> None:
    first, second = answered(facts)
    await recorder.submit([unreadable(first)])
    await write_off(db, facts)
    with pytest.raises(JournalConflict):
        await recorder.submit([second])


async def test_what_can_be_replayed_of_a_broken_journal_is_shown(
    db: Database, recorder: Recorder, facts: Facts, url: str
) -> None:
    first, second = answered(facts)
    await recorder.submit([first, unreadable(second)])
    await write_off(db, facts)
    replayed = await replay_call(Settings(database_url=SecretStr(url)), facts.call)
    assert [(step.event.partition("(")[0], step.is_same) for step in replayed.steps] == [
        ("CallOffered", True),
        ("Sung: cannot be read by this version", False),
        ("LegEnded", True),
    ]


async def test_b_legs_that_live_still_are_told_for_somebody_to_end_them(
    db: Database, recorder: Recorder, facts: Facts, url: str
) -> None:
    b_leg = leg_of_call(call_in_shard(1))
    first, second = answered(facts)
    opened = LegOpened(b_leg, "dial_target", "+15550001111", "+15550003333")
    await recorder.submit([first, unreadable(replace(second, writes=(*second.writes, opened)))])
    assert await write_off(db, facts) == [b_leg]
    assert rows(url, "SELECT cause, ended_at IS NOT NULL AS is_over FROM legs") == [
        {"cause": "JOURNAL_UNREADABLE", "is_over": True}
    ]
    assert await write_off(db, facts) == []


async def test_of_a_call_that_has_its_verdict_only_the_b_legs_end(
    db: Database, recorder: Recorder, facts: Facts, url: str
) -> None:
    b_leg = leg_of_call(call_in_shard(1))
    first, second = answered(facts)
    opened = LegOpened(b_leg, "dial_target", "+15550001111", "+15550003333")
    ended = CallChanged(status="completed", ended_ms=NOW_MS, result="completed", reason="normal-clearing")
    await recorder.submit([first, unreadable(replace(second, writes=(*second.writes, opened, ended)))])
    assert await write_off(db, facts) == [b_leg]
    assert rows(url, "SELECT status, reason FROM calls") == [{"status": "completed", "reason": "normal-clearing"}]
    assert rows(url, "SELECT count(*) AS open FROM legs WHERE ended_at IS NULL") == [{"open": 0}]


async def test_a_call_that_was_claimed_and_never_begun_gets_its_verdict(
    db: Database, account: AccountId, url: str
) -> None:
    call = call_in_shard(1)
    await queue_call(db, call, account)
    rows(url, "UPDATE calls SET node = 'gone' RETURNING 1")
    await write_off(db, inbound(call, account, ""), Cause.NODE_GONE, at_ms=NOW_MS + 5000)
    assert rows(url, "SELECT status, reason, extract(epoch FROM ended_at)::bigint * 1000 AS ended_ms FROM calls") == [
        {"status": "failed", "reason": "node-gone", "ended_ms": NOW_MS + 5000}
    ]
    assert [row["kind"] for row in rows(url, "SELECT kind FROM journal ORDER BY seq")] == [
        CallPlaced.__name__,
        "LegEnded",
    ]


async def test_of_a_journal_with_a_gap_it_is_said_at_once_that_nobody_can_go_on_with_it(
    db: Database, recorder: Recorder, facts: Facts, url: str, tmp_path: Path
) -> None:
    first, second = answered(facts)
    await recorder.submit([first, replace(second, seq=2)])
    archive = DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / "own", VAULT))
    [stored] = await archive.live_calls("fs1", frozenset({1}))
    assert (stored.facts.call, stored.is_readable) == (facts.call, False)
    assert await archive.write_off(stored.facts, Cause.JOURNAL_UNREADABLE) == []
    assert [row["seq"] for row in rows(url, "SELECT seq FROM journal ORDER BY seq")] == [0, 2, 3]
    assert rows(url, "SELECT reason, ended_at IS NOT NULL AS is_over FROM calls") == [
        {"reason": "journal-unreadable", "is_over": True}
    ]


async def test_a_journal_that_cannot_be_read_is_left_to_others_for_a_while(
    db: Database, recorder: Recorder, facts: Facts, url: str, tmp_path: Path
) -> None:
    await recorder.submit([unreadable(answered(facts)[0])])
    heirs = Heirs(url, tmp_path, tmp_path / "own", VAULT)
    assert await DatabaseArchive(SERVER, db, recorder, heirs, patience_s=60).live_calls("fs1", frozenset({1})) == []
    hasty = DatabaseArchive(SERVER, db, recorder, heirs, patience_s=0)
    [stored] = await hasty.live_calls("fs1", frozenset({1}))
    assert (stored.facts.call, stored.is_readable) == (facts.call, False)
    assert await hasty.write_off(stored.facts, Cause.JOURNAL_UNREADABLE) == []
    assert await hasty.live_calls("fs1", frozenset({1})) == []


async def test_facts_that_cannot_be_read_keep_nobody_from_other_calls(
    db: Database, recorder: Recorder, facts: Facts, url: str, tmp_path: Path
) -> None:
    strange = call_in_shard(1)
    await queue_call(db, strange, facts.account)
    rows(url, """UPDATE calls SET node = 'fs1', facts = '{"a":1}' RETURNING 1""")
    await recorder.submit([offered(facts.call, account=facts.account)])
    archive = DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / "own", VAULT))
    [stored] = await archive.live_calls("fs1", frozenset({1}))
    assert stored.facts.call == facts.call


async def test_a_journal_in_another_versions_words_keeps_nobody_from_other_calls(
    db: Database, recorder: Recorder, facts: Facts, url: str, tmp_path: Path
) -> None:
    arrived = '{"token": "t", "url": "u", "content_type": "c", "body": "b", "status": 200}'
    first, second = answered(facts)
    await recorder.submit([first, replace(second, kind="DocumentArrived", data=arrived)])
    other = call_in_shard(1)
    await recorder.submit([offered(other, account=facts.account)])
    archive = DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / "own", VAULT))
    assert [stored.facts.call for stored in await archive.live_calls("fs1", frozenset({1}))] == [other]


async def test_a_queued_call_that_cannot_be_read_keeps_no_other_from_its_end(
    db: Database, account: AccountId, url: str
) -> None:
    for _ in range(2):
        await queue_call(db, call_in_shard(1), account)
    rows(url, "UPDATE calls SET created_at = now() - interval '25 hours' RETURNING 1")
    first = "(SELECT min(call_id::text)::uuid FROM calls)"
    rows(url, f"""UPDATE calls SET facts = '{{"a":1}}' WHERE call_id = {first} RETURNING 1""")
    async with db.transaction() as tx:
        assert await expire_queued_calls(tx) == 2
        assert await expire_queued_calls(tx) == 0
    assert rows(url, "SELECT status, reason FROM calls ORDER BY call_id") == [
        {"status": "failed", "reason": "journal-unreadable"},
        {"status": "failed", "reason": "queue-expired"},
    ]


async def test_of_calls_whose_legs_are_found_those_that_are_over_are_told(
    db: Database, url: str, recorder: Recorder, tmp_path: Path
) -> None:
    archive = DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / "own", VAULT))
    live, over, unknown = (call_in_shard(1) for _ in range(3))
    for call in (live, over):
        await recorder.submit([offered(call)], is_urgent=True)
    assert await archive.over([live, over, unknown]) == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE calls SET ended_at = now(), status = 'failed', result = 'failed' WHERE call_id = %s",
            [leg_of_call(over)],
        )
    assert await archive.over([live, over, unknown]) == [over]
