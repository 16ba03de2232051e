from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from controlplane.base.ids import Token, leg_of_call
from controlplane.calls.commands import KeepRecording
from controlplane.services.load_live_calls import load_journal
from controlplane.store.database import Database
from controlplane.store.heirs import Heirs
from controlplane.store.journal import Recorder, RecorderState
from controlplane.store.records import (
    CallbackQueued,
    CallChanged,
    EventPublished,
    JournalConflict,
    LegChanged,
    LegOpened,
    NoteWritten,
    RecordingKept,
    RecordRefused,
)
from controlplane.verbs.documents import Link, RecordingCallback
from controlplane.wiring.records import DatabaseArchive
from tests.postgres.sample import NOW_MS, SERVER, VAULT, call_in_shard, entry, facts_of, offered, rows

START = datetime.fromtimestamp(NOW_MS / 1000, UTC)


def event(token: str, kind: str = "call.ringing", webhook_url: str | None = None) -> EventPublished:
    return EventPublished(Token(token), kind, "{}", None, webhook_url)


def break_sessions(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = %s AND datname = current_database()",
            [name],
        )


@pytest.fixture
def archive(db: Database, recorder: Recorder, url: str, tmp_path: Path) -> DatabaseArchive:
    return DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / "own", VAULT))


async def test_a_call_is_written_from_its_first_entry_to_its_verdict(recorder: Recorder, url: str) -> None:
    call = call_in_shard(5)
    answered = CallChanged(status="in-progress", answered_ms=NOW_MS + 1000)
    ended = CallChanged(status="completed", ended_ms=NOW_MS + 2000, result="completed", reason="normal-clearing")
    await recorder.submit([offered(call)])
    await recorder.submit([entry(call, 1, answered), entry(call, 2, ended)])
    [row] = rows(
        url, "SELECT status, answered_at, ended_at, result, reason, shard, node, event_count, direction FROM calls"
    )
    assert row == {
        "status": "completed",
        "answered_at": START + timedelta(seconds=1),
        "ended_at": START + timedelta(seconds=2),
        "result": "completed",
        "reason": "normal-clearing",
        "shard": 5,
        "node": "fs1",
        "event_count": 0,
        "direction": "inbound",
    }
    assert [line["seq"] for line in rows(url, "SELECT seq FROM journal ORDER BY seq")] == [0, 1, 2]


async def test_what_is_submitted_at_once_shares_a_commit(recorder: Recorder, url: str) -> None:
    calls = [call_in_shard(index % 16) for index in range(50)]
    before = rows(url, "SELECT pg_current_xact_id()::text::bigint AS id")[0]["id"]
    await asyncio.gather(*[recorder.submit([offered(call)], is_urgent=False) for call in calls])
    after = rows(url, "SELECT pg_current_xact_id()::text::bigint AS id")[0]["id"]
    assert len(rows(url, "SELECT 1 FROM calls")) == 50
    assert after - before == 2  # one for the batch, one for having asked


async def test_writing_the_same_again_changes_nothing(recorder: Recorder, url: str) -> None:
    call = call_in_shard(1)
    record = offered(call, event("a.0.0", webhook_url="http://app/hook"), CallbackQueued("http://app", "POST", "[]"))
    await recorder.submit([record])
    await recorder.submit([record])
    await recorder.submit([record, record])
    assert rows(url, "SELECT event_count, callback_count FROM calls") == [{"event_count": 1, "callback_count": 1}]
    assert rows(url, "SELECT sequence FROM events") == [{"sequence": 0}]
    assert rows(url, "SELECT lane, number FROM deliveries ORDER BY lane") == [
        {"lane": 0, "number": 0},
        {"lane": 1, "number": 0},
    ]


async def test_events_of_a_call_are_numbered_without_gaps_over_many_batches(recorder: Recorder, url: str) -> None:
    call, other = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(call, event("a.0.0"), event("a.0.1")), offered(other, event("b.0.0"))])
    await recorder.submit(
        [entry(call, 1, event("a.1.0")), entry(other, 1), entry(call, 2, event("a.2.0"), event("a.2.1"))]
    )
    found = rows(url, "SELECT sequence, occurred_at FROM events JOIN calls USING (call_id) WHERE shard = 1 ORDER BY 1")
    assert [row["sequence"] for row in found] == [0, 1, 2, 3, 4]
    assert [(row["occurred_at"] - START).seconds for row in found] == [0, 0, 1, 2, 2]


async def test_everything_an_entry_may_bring_is_written_with_it(recorder: Recorder, url: str) -> None:
    call = call_in_shard(3)
    leg = leg_of_call(call_in_shard(3))
    recording = "rec_01HF7YAT00000000000000000A"
    kept = KeepRecording(
        Token("t"),
        recording,
        leg,
        "RecordVerb",
        1,
        2500,
        True,
        RecordingCallback(Link("http://app/rec")),
        (("A", "b"),),
    )
    await recorder.submit(
        [
            offered(call),
            entry(call, 1, LegOpened(leg, "dial_target", "+15550001111", "+15550003333")),
            entry(call, 2, LegChanged(leg, answered_ms=NOW_MS + 2000)),
            entry(call, 3, LegChanged(leg, ended_ms=NOW_MS + 3000, cause="NORMAL_CLEARING", sip_status=200)),
            entry(
                call,
                4,
                RecordingKept("fs1", None, kept),
                NoteWritten(1, "warning", 12200, "odd", "Say[1]"),
            ),
        ]
    )
    assert rows(url, "SELECT leg::text, to_number, cause, sip_status, ended_at FROM legs") == [
        {"leg": leg, "to_number": "+15550003333", "cause": "NORMAL_CLEARING", "sip_status": 200,
         "ended_at": START + timedelta(seconds=3)}
    ]  # fmt: skip
    assert rows(url, "SELECT state, duration_ms, source, callback FROM recordings") == [
        {"state": "processing", "duration_ms": 2500, "source": "RecordVerb",
         "callback": {"url": "http://app/rec", "method": "POST", "events": ["completed"], "parameters": [["A", "b"]]}}
    ]  # fmt: skip
    assert rows(url, "SELECT seq, index, level, code, text, place FROM notes") == [
        {"seq": 4, "index": 1, "level": "warning", "code": 12200, "text": "odd", "place": "Say[1]"}
    ]


async def test_a_journal_that_another_wrote_is_a_conflict_until_the_call_is_forgotten(
    recorder: Recorder, url: str, db: Database
) -> None:
    call, other = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(call), entry(call, 1, data='{"by":"another"}')])
    ours = recorder.submit([entry(call, 1, CallChanged(status="in-progress"), data='{"by":"us"}')])
    further = recorder.submit([entry(call, 2)])
    unrelated = recorder.submit([offered(other)])
    with pytest.raises(JournalConflict):
        await ours
    with pytest.raises(JournalConflict):
        await further
    await unrelated
    assert rows(url, "SELECT status FROM calls WHERE shard = 1") == [{"status": "ringing"}]
    async with db.transaction() as tx:
        lines = await load_journal(tx, call)
    assert [line.data for line in lines] == [offered(call).data, '{"by":"another"}']
    recorder.forget(call)
    await recorder.submit([entry(call, 2)])


async def test_of_two_that_write_one_place_at_once_whoever_came_first_has_it(recorder: Recorder, url: str) -> None:
    """A call ended as it was taken up anew in the same process: both ends were refused, and it never ended."""
    call, other = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(call)])
    results = await asyncio.gather(
        recorder.submit([entry(call, 1, data='{"by":"the first"}')]),
        recorder.submit([entry(call, 1, data='{"by":"the second"}')]),
        recorder.submit([entry(call, 2, data='{"by":"the second"}')]),
        recorder.submit([offered(other)]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), JournalConflict, JournalConflict, type(None)]
    with pytest.raises(JournalConflict):
        await recorder.submit([entry(call, 2, data='{"by":"the second"}')])
    assert rows(url, "SELECT seq, data->>'by' AS by FROM journal WHERE seq > 0") == [{"seq": 1, "by": "the first"}]


async def test_a_call_that_another_wrote_can_be_written_again_once_it_was_read_back(
    recorder: Recorder, archive: DatabaseArchive, url: str
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call), entry(call, 1)])
    with pytest.raises(JournalConflict):
        await recorder.submit([entry(call, 1, data='{"by":"us, too late"}')])
    await archive.live_calls("fs1", frozenset({1}))
    await recorder.submit([entry(call, 2)])
    assert [line["seq"] for line in rows(url, "SELECT seq FROM journal ORDER BY seq")] == [0, 1, 2]


async def test_a_journal_that_cannot_be_read_does_not_keep_others_from_being_read(
    recorder: Recorder, archive: DatabaseArchive
) -> None:
    strange, ours = call_in_shard(1), call_in_shard(1)
    await recorder.submit([replace(offered(strange), data='{"a":1}'), offered(ours)])
    [stored] = await archive.live_calls("fs1", frozenset({1}))
    assert stored.facts == facts_of(ours, node="fs1")


async def test_a_record_the_database_refuses_fails_alone(recorder: Recorder, url: str) -> None:
    good, bad, orphan = call_in_shard(1), call_in_shard(2), call_in_shard(3)
    done = [
        recorder.submit([offered(good)]),
        recorder.submit([offered(bad, NoteWritten(0, "error", 1, "a\0b", ""))]),
        recorder.submit([entry(orphan, 1, event("c.1.0"))]),
        recorder.submit([entry(good, 1)]),
    ]
    results = await asyncio.gather(*done, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), RecordRefused, RecordRefused, type(None)]
    assert rows(url, "SELECT shard FROM calls") == [{"shard": 1}]


async def test_nothing_is_written_behind_a_record_that_was_refused(recorder: Recorder, url: str) -> None:
    """A review found it: the next owner fell over the gap."""
    call, other = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(call)])
    results = await asyncio.gather(
        recorder.submit([entry(call, 1, NoteWritten(0, "error", 1, "a\0b", ""))]),
        recorder.submit([entry(call, 2)]),
        recorder.submit([offered(other)]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [RecordRefused, JournalConflict, type(None)]
    with pytest.raises(JournalConflict):
        await recorder.submit([entry(call, 3)])
    recorder.forget(call)
    await recorder.submit([entry(call, 1, data='{"by":"the next"}')])
    assert rows(url, "SELECT shard, seq FROM journal JOIN calls USING (call_id) ORDER BY shard, seq") == [
        {"shard": 1, "seq": 0},
        {"shard": 1, "seq": 1},
        {"shard": 2, "seq": 0},
    ]


async def test_what_waits_of_a_call_as_its_journal_is_read_anew_is_not_written_behind_that(
    recorder: Recorder, url: str
) -> None:
    call, untouched = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(call), entry(call, 1, data='{"by":"another"}')])
    lost = recorder.submit([entry(call, 1, data='{"by":"us"}')])
    with pytest.raises(JournalConflict):
        await lost
    waits = recorder.submit([entry(call, 2, data='{"by":"us"}')], is_urgent=False)
    waits_too = recorder.submit([offered(untouched)], is_urgent=False)
    recorder.forget(call)
    with pytest.raises(JournalConflict):
        await waits
    await waits_too
    await recorder.submit([entry(call, 2, data='{"by":"the next"}')])
    assert rows(url, "SELECT seq, data->>'by' AS by FROM journal WHERE seq > 0 ORDER BY seq") == [
        {"seq": 1, "by": "another"},
        {"seq": 2, "by": "the next"},
    ]


async def test_what_the_database_refuses_is_logged_without_what_it_tells(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    call = call_in_shard(1)
    unheard_of = EventPublished(Token("a.1.0"), "call.ringing", '{"from": "+15550001111"}')
    with pytest.raises(RecordRefused):
        await recorder.submit([entry(call, 1, unheard_of)])
    refused = next(record for record in caplog.records if record.message == "record_refused")
    assert vars(refused)["call"] == call
    assert "+15550001111" not in logging.Formatter().format(refused)


async def test_an_ended_call_keeps_its_verdict(recorder: Recorder, url: str) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call), entry(call, 1, CallChanged(status="busy", ended_ms=NOW_MS, result="busy"))])
    await recorder.submit([entry(call, 2, CallChanged(status="failed", ended_ms=NOW_MS + 9, result="failed"))])
    assert rows(url, "SELECT status, result, ended_at FROM calls") == [
        {"status": "busy", "result": "busy", "ended_at": START}
    ]


async def test_a_lost_connection_is_made_again_and_nothing_is_written_twice(recorder: Recorder, url: str) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call)])
    break_sessions(url, "callplane recorder")
    await recorder.submit([entry(call, 1, event("a.1.0"))])
    assert rows(url, "SELECT sequence FROM events") == [{"sequence": 0}]
    assert recorder.state is RecorderState.RECORDING
