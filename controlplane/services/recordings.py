"""Recordings as their account sees them, and as the workers that fetch them do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from controlplane.base.errors import Conflict
from controlplane.base.ids import AccountId, CallId, LegId
from controlplane.store.database import Transaction, unknown_is_not_found
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query

_FIND, _LIST, _DELETE = query("find_recording"), query("list_recordings"), query("delete_recording")
_TAKE, _POSTPONE = query("take_recordings"), query("postpone_recording")


class RecordingNotReady(Conflict):
    """The recording is still being stored."""

    slug = "recording-not-ready"


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording. `state` is processing, completed, absent or failed; `storage_key` names its file once completed."""

    recording_id: str
    account_id: AccountId
    call_id: CallId
    leg: LegId
    source: str
    channels: int
    state: str
    duration_ms: int | None
    size_bytes: int | None
    storage_key: str | None
    problem: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueRecording:
    """A recording to be fetched from `node` and stored; `duration_ms` where the node told it."""

    recording_id: str
    account_id: AccountId
    call_id: CallId
    leg: LegId
    node: str
    channels: int
    is_trimmed: bool
    duration_ms: int | None
    attempts: int
    leased_until: datetime


async def get_recording(tx: Transaction, account_id: str, recording_id: str) -> Recording:
    """One recording; raises NotFound."""
    return await tx.one(Recording, _FIND, account_id=account_id, recording_id=recording_id)


async def list_recordings(
    tx: Transaction, account_id: str, window: Window, call_id: str | None = None
) -> Page[Recording]:
    """An account's recordings, newest first, or those of one call."""
    with unknown_is_not_found():
        return await read_page(tx, Recording, _LIST, "recording_id", window, account_id=account_id, call_id=call_id)


async def delete_recording(tx: Transaction, account_id: str, recording_id: str) -> str | None:
    """Forget a recording; answers the storage key of the file to delete. Raises NotFound, RecordingNotReady."""
    await get_recording(tx, account_id, recording_id)
    deleted = await tx.all(_key, _DELETE, account_id=account_id, recording_id=recording_id)
    if not deleted:
        raise RecordingNotReady
    return deleted[0]


async def take_due_recordings(tx: Transaction, *, most: int = 10, lease_s: int = 300) -> list[DueRecording]:
    """Take recordings to fetch; each must be finished within `lease_s`, or another worker gets it."""
    return await tx.all(DueRecording, _TAKE, most=most, lease_s=lease_s)


async def postpone_recording(tx: Transaction, due: DueRecording, *, delay_s: int, problem: str) -> None:
    """It could not be fetched or stored now: try again after `delay_s`."""
    await tx.run(_POSTPONE, account_id=due.account_id, recording_id=due.recording_id, delay_s=delay_s, problem=problem)


def _key(storage_key: str | None) -> str | None:
    return storage_key
