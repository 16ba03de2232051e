from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from controlplane.base.errors import NotFound
from controlplane.base.ids import AccountId, CallId, Token, leg_of_call, sid_of
from controlplane.calls.commands import KeepRecording
from controlplane.services.finish_recording import Absent, Failed, Outcome, Stored, finish_recording
from controlplane.services.recordings import (
    DueRecording,
    RecordingNotReady,
    delete_recording,
    get_recording,
    list_recordings,
    postpone_recording,
    take_due_recordings,
)
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.pages import Window
from controlplane.store.records import EventPublished, RecordingKept
from controlplane.verbs.documents import Link, RecordingCallback, RecordingEvent
from tests.postgres.sample import call_in_shard, offered, rows

RECORDING = "rec_01HF7YAT00000000000000000A"
STORED = Stored("acme/rec.wav", 2600, 41_644)
CALLBACK = RecordingCallback(Link("http://app/rec"), frozenset({RecordingEvent.COMPLETED, RecordingEvent.ABSENT}))


@pytest.fixture
async def call(db: Database, account: AccountId, url: str) -> AsyncIterator[CallId]:
    """A call with one event so far and a recording to be kept."""
    call = call_in_shard(1)
    kept = KeepRecording(
        Token("t"), RECORDING, leg_of_call(call), "RecordVerb", 1, None, True, CALLBACK, (("From", "+15550001111"),)
    )
    recorder = Recorder(url)
    await recorder.start()
    event = EventPublished(Token("a"), "call.initiated", "{}", None, "http://app/hook")
    await recorder.submit([offered(call, event, RecordingKept("fs1", "http://app/hook", kept), account=account)])
    yield call
    await recorder.stop()


async def finish(db: Database, account: AccountId, outcome: Outcome) -> bool:
    async with db.transaction() as tx:
        return await finish_recording(tx, account, RECORDING, outcome, public_url="https://api.example.net")


async def test_a_recording_is_given_to_one_worker_until_its_lease_ends(
    db: Database, account: AccountId, call: CallId, url: str
) -> None:
    async def take() -> list[DueRecording]:
        async with db.transaction() as tx:
            return await take_due_recordings(tx)

    answers = await asyncio.gather(take(), take(), take())
    [due] = [due for answer in answers for due in answer]
    assert due == DueRecording(RECORDING, account, call, leg_of_call(call), "fs1", 1, True, None, 1, due.leased_until)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE recordings SET due_at = now()")
    [again] = await take()
    assert again.attempts == 2
    async with db.transaction() as tx:
        await postpone_recording(tx, again, delay_s=0, problem="storage away")
    [third] = await take()
    assert third.attempts == 3


async def test_a_stored_recording_is_told_in_the_log_and_to_the_application(
    db: Database, account: AccountId, call: CallId, url: str
) -> None:
    assert await finish(db, account, STORED)
    async with db.transaction() as tx:
        found = await get_recording(tx, account, RECORDING)
        assert (await list_recordings(tx, account, Window(), call)).data == (found,)
    assert (found.state, found.duration_ms, found.size_bytes, found.storage_key) == (
        "completed", 2600, 41_644, "acme/rec.wav",
    )  # fmt: skip
    assert rows(url, "SELECT sequence, kind, data FROM events ORDER BY 1")[1] == {
        "sequence": 1,
        "kind": "recording.completed",
        "data": {
            "recording_id": RECORDING, "source": "RecordVerb", "channels": 1, "duration_ms": 2600, "size_bytes": 41_644,
        },
    }  # fmt: skip
    ac, re = sid_of("AC", account), sid_of("RE", RECORDING)
    assert rows(url, "SELECT lane, number, url, parameters FROM deliveries ORDER BY 1, 2")[1:] == [
        {"lane": 0, "number": 1, "url": "http://app/hook", "parameters": None},
        {"lane": 1, "number": 0, "url": "http://app/rec", "parameters": [
            ["From", "+15550001111"], ["AccountSid", ac], ["CallSid", sid_of("CA", leg_of_call(call))],
            ["RecordingSid", re],
            ["RecordingUrl", f"https://api.example.net/2010-04-01/Accounts/{ac}/Recordings/{re}"],
            ["RecordingStatus", "completed"], ["RecordingChannels", "1"], ["RecordingSource", "RecordVerb"],
            ["RecordingDuration", "3"],
        ]},
    ]  # fmt: skip


async def test_a_recording_is_finished_once(db: Database, account: AccountId, call: CallId, url: str) -> None:
    outcomes = await asyncio.gather(*[finish(db, account, STORED) for _ in range(5)])
    assert sorted(outcomes) == [False, False, False, False, True]
    assert not await finish(db, account, Failed("late"))
    assert len(rows(url, "SELECT 1 FROM events WHERE kind LIKE 'recording.%'")) == 1


@pytest.mark.parametrize("outcome", [Absent(), Failed("node lost")])
async def test_what_could_not_be_kept_is_absent_to_the_application(
    db: Database, account: AccountId, call: CallId, url: str, outcome: Outcome
) -> None:
    assert await finish(db, account, outcome)
    [event] = rows(url, "SELECT kind, data FROM events WHERE sequence = 1")
    reason = "absent" if isinstance(outcome, Absent) else "node lost"
    assert (event["kind"], event["data"]["reason"]) == ("recording.failed", reason)
    [row] = rows(url, "SELECT parameters FROM deliveries WHERE lane = 1")
    assert ["RecordingStatus", "absent"] in row["parameters"]


async def test_a_deleted_recording_is_gone_and_says_which_file_goes_with_it(
    db: Database, account: AccountId, call: CallId
) -> None:
    async with db.transaction() as tx:
        with pytest.raises(RecordingNotReady):
            await delete_recording(tx, account, RECORDING)
    await finish(db, account, STORED)
    async with db.transaction() as tx:
        assert await delete_recording(tx, account, RECORDING) == "acme/rec.wav"
        assert (await list_recordings(tx, account, Window())).data == ()
        for use in (get_recording, delete_recording):
            with pytest.raises(NotFound):
                await use(tx, account, RECORDING)
