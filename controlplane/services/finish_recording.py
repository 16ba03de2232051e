"""A recording is stored, or will never be: say so in the log and to whoever wants to know, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from controlplane.base.ids import AccountId, CallId, LegId, Token, leg_of_call, sid_of
from controlplane.store.database import Transaction
from controlplane.store.minting import now_ms
from controlplane.store.queries import query
from controlplane.store.records import CallbackQueued, EventPublished, Record, Write
from controlplane.store.writing import write_aside
from controlplane.verbs.documents import RecordingEvent

_FINISH = query("finish_recording")


@dataclass(frozen=True, slots=True)
class Stored:
    """The file is kept under `storage_key`."""

    storage_key: str
    duration_ms: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Absent:
    """Nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something was recorded and could not be kept."""

    problem: str


Outcome: TypeAlias = Stored | Absent | Failed


@dataclass(frozen=True, slots=True)
class _Finished:
    recording_id: str
    account_id: AccountId
    call_id: CallId
    leg: LegId
    source: str
    channels: int
    state: str
    duration_ms: int | None
    webhook_url: str | None
    callback: dict[str, Any] | None


async def finish_recording(
    tx: Transaction, account_id: str, recording_id: str, outcome: Outcome, *, public_url: str
) -> bool:
    """Say what became of a recording; answers False if that was said before, and then changes nothing.

    `public_url` is the base of links to recordings.
    """
    finished = await tx.maybe(_Finished, _FINISH, account_id=account_id, recording_id=recording_id, **_columns(outcome))
    if finished is None:
        return False
    writes: list[Write] = [_event(finished, outcome)]
    writes += _callbacks(finished, public_url)
    await write_aside(tx, Record(finished.account_id, finished.call_id, 0, now_ms(), "", "", b"", tuple(writes)))
    return True


def _columns(outcome: Outcome) -> dict[str, object]:
    empty: dict[str, object] = {"storage_key": None, "duration_ms": None, "size_bytes": None, "problem": None}
    match outcome:
        case Stored(key, duration_ms, size_bytes):
            return {**empty, "state": "completed", "storage_key": key, "duration_ms": duration_ms,
                    "size_bytes": size_bytes}  # fmt: skip
        case Absent():
            return {**empty, "state": "absent"}
        case Failed(problem):
            return {**empty, "state": "failed", "problem": problem}


def _event(finished: _Finished, outcome: Outcome) -> EventPublished:
    data: dict[str, object] = {
        "recording_id": finished.recording_id,
        "source": finished.source,
        "channels": finished.channels,
    }
    match outcome:
        case Stored(_, duration_ms, size_bytes):
            kind = "recording.completed"
            data |= {"duration_ms": duration_ms, "size_bytes": size_bytes}
        case Absent():
            kind = "recording.failed"
            data["reason"] = "absent"
        case Failed(problem):
            kind = "recording.failed"
            data["reason"] = problem
    return EventPublished(
        Token(f"{finished.recording_id}.finished"),
        kind,
        json.dumps(data, separators=(",", ":")),
        finished.leg,
        finished.webhook_url,
    )


def _callbacks(finished: _Finished, public_url: str) -> list[CallbackQueued]:
    """Parameters as in the TwiML reference, 1.7; what could not be kept is absent to the application."""
    callback = finished.callback
    status = RecordingEvent.COMPLETED if finished.state == "completed" else RecordingEvent.ABSENT
    if callback is None or status not in callback["events"]:
        return []
    account, recording = sid_of("AC", finished.account_id), sid_of("RE", finished.recording_id)
    told = [
        *callback["parameters"],
        ("AccountSid", account),
        ("CallSid", sid_of("CA", leg_of_call(finished.call_id))),
        ("RecordingSid", recording),
        ("RecordingUrl", f"{public_url}/2010-04-01/Accounts/{account}/Recordings/{recording}"),
        ("RecordingStatus", status.value),
        ("RecordingChannels", str(finished.channels)),
        ("RecordingSource", finished.source),
    ]
    if status is RecordingEvent.COMPLETED:
        told.append(("RecordingDuration", str(round((finished.duration_ms or 0) / 1000))))
    return [CallbackQueued(callback["url"], callback["method"], json.dumps(told))]
