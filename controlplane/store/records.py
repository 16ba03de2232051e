"""What the Recorder writes: a journal entry with everything that must be written in its transaction.

The journal's key (call, seq) is the one thing that makes a replay harmless: rows that come of an entry are written
only when the entry itself was new.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from controlplane.base.errors import CallplaneError, Conflict
from controlplane.base.ids import AccountId, CallId, LegId, Token
from controlplane.calls.commands import KeepRecording
from controlplane.verbs.documents import Method

EVENTS_LANE, CALLBACKS_LANE = 0, 1


@dataclass(frozen=True, slots=True)
class CallOpened:
    """A call that has no row yet: an inbound one."""

    app: str | None
    direction: str
    status: str
    from_number: str
    to_number: str
    node: str


@dataclass(frozen=True, slots=True)
class CallChanged:
    """What is new about a call; None where nothing is. Times are milliseconds since the epoch.

    What happened first stays: a call rings, is answered and ends once.
    """

    status: str | None = None
    node: str | None = None
    ringing_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    result: str | None = None
    reason: str | None = None
    cause: str | None = None
    sip_status: int | None = None
    sip_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class LegOpened:
    """A B-leg is dialled."""

    leg: LegId
    role: str
    from_number: str
    to_number: str


@dataclass(frozen=True, slots=True)
class LegChanged:
    """What is new about a B-leg; None where nothing is."""

    leg: LegId
    ringing_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    cause: str | None = None
    sip_status: int | None = None
    sip_call_id: str | None = None


@dataclass(frozen=True, slots=True)
class EventPublished:
    """An event of the account's log; with a `webhook_url` it is delivered there too. `data` is JSON text."""

    token: Token
    kind: str
    data: str
    leg: LegId | None = None
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True)
class CallbackQueued:
    """A request to the application; `parameters` is JSON text, a list of pairs."""

    url: str
    method: Method
    parameters: str


@dataclass(frozen=True, slots=True)
class RecordingKept:
    """A recording is to be fetched from its node, stored and told."""

    node: str
    webhook_url: str | None
    command: KeepRecording


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """A line for the tenant's eyes; `index` tells the notes of one entry apart."""

    index: int
    level: str
    code: int
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A request of live control was carried out, or could not be (`problem`)."""

    request: str
    problem: str


Write: TypeAlias = (
    CallOpened | CallChanged | LegOpened | LegChanged | EventPublished | CallbackQueued | RecordingKept | NoteWritten
    | RequestAnswered
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    """One journal entry (`kind`, JSON text and digest as in calls/journal.py) and the rows that come of it."""

    account: AccountId
    call: CallId
    seq: int
    at_ms: int
    kind: str
    data: str
    digest: bytes = b""
    writes: tuple[Write, ...] = ()


class JournalConflict(Conflict):
    """Another process wrote this place of the call's journal: the call is not ours any more, or not as we knew it."""

    slug = "journal-conflict"


class RecordRefused(CallplaneError):
    """The database would not take what was to be recorded; trying again would not help."""

    slug = "record-refused"
