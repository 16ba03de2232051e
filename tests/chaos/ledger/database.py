"""What the database holds of a run: calls, legs, events, deliveries, journals. Read in one snapshot, written never.

Times are seconds of the epoch, None for null; ids are UUIDs as text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg import Connection
from psycopg.rows import class_row

from tests.chaos.ledger.ids import name_of
from tests.chaos.ledger.reading import CannotLook

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call. `wants_events`: its app, or whoever placed it, gave an address to which every event is to be told."""

    call: str
    direction: str
    from_number: str
    to_number: str
    node: str | None
    status: str
    result: str | None
    reason: str | None
    cause: str | None
    sip_call_id: str | None
    answered_at_s: float | None
    ended_at_s: float | None
    event_count: int
    callback_count: int
    is_claimed: bool
    wants_events: bool

    @property
    def leg(self) -> str:
        """The UUID of its A-leg's channel."""
        return self.call

    @property
    def is_inbound(self) -> bool:
        """Say whether somebody dialled in."""
        return self.direction == "inbound"

    def __str__(self) -> str:
        return f"the call {name_of(self.call)} ({self.from_number} to {self.to_number})"


@dataclass(frozen=True, slots=True)
class LegRow:
    """A B-leg."""

    call: str
    leg: str
    from_number: str
    to_number: str
    cause: str | None
    sip_call_id: str | None
    answered_at_s: float | None
    ended_at_s: float | None

    def __str__(self) -> str:
        return f"the leg {self.leg} of the call {name_of(self.call)} (to {self.to_number})"


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event of the account's log, and the state of its delivery, None where none was queued. `leg`: a B-leg's."""

    call: str
    sequence: int
    event_id: str
    kind: str
    leg: str | None
    delivery: str | None


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A status callback in the outbox."""

    call: str
    number: int
    state: str


@dataclass(frozen=True, slots=True)
class JournalRow:
    """The journal of one call: how many entries it has, and the numbers of the first and the last."""

    call: str
    entries: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Left:
    """A row that should not be there once all is at rest: which check finds it, its call, and a sentence."""

    check: str
    call: str | None
    told: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What stands in the database."""

    calls: tuple[CallRow, ...] = ()
    legs: tuple[LegRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    callbacks: tuple[CallbackRow, ...] = ()
    journals: tuple[JournalRow, ...] = ()
    left: tuple[Left, ...] = ()
    recorded: frozenset[str] = frozenset()  # calls of which a recording is kept, with something on it


_CALLS: LiteralString = """
    SELECT calls.call_id::text AS call, direction, from_number, to_number, node, calls.status, result, reason, cause,
           sip_call_id, extract(epoch FROM answered_at)::float8 AS answered_at_s,
           extract(epoch FROM ended_at)::float8 AS ended_at_s, event_count, callback_count,
           node IS NOT NULL AS is_claimed,
           apps.webhook_url IS NOT NULL OR facts #>> '{facts,webhook_url}' IS NOT NULL AS wants_events
      FROM calls LEFT JOIN apps ON apps.account_id = calls.account_id AND apps.app_id = calls.app_id
     ORDER BY calls.created_at, calls.call_id
"""
_LEGS: LiteralString = """
    SELECT call_id::text AS call, leg::text AS leg, from_number, to_number, cause, sip_call_id,
           extract(epoch FROM answered_at)::float8 AS answered_at_s,
           extract(epoch FROM ended_at)::float8 AS ended_at_s
      FROM legs ORDER BY created_at, leg
"""
_EVENTS: LiteralString = """
    SELECT events.call_id::text AS call, sequence, event_id::text AS event_id, kind, events.leg::text AS leg,
           deliveries.state AS delivery
      FROM events LEFT JOIN deliveries ON deliveries.call_id = events.call_id AND lane = 0 AND number = sequence
     ORDER BY events.call_id, sequence
"""
_CALLBACKS: LiteralString = """
    SELECT call_id::text AS call, number, state FROM deliveries WHERE lane = 1 ORDER BY call_id, number
"""
_JOURNALS: LiteralString = """
    SELECT call_id::text AS call, count(*)::int AS entries, min(seq) AS first, max(seq) AS last
      FROM journal GROUP BY call_id ORDER BY call_id
"""
# Everybody who is recorded in a run speaks: one that is absent is lost.
_RECORDED: LiteralString = "SELECT DISTINCT call_id::text FROM recordings WHERE state = 'completed' AND duration_ms > 0"
# Each is to answer no row: the check's slug, the call or null, and what to say.
_LEFT: tuple[LiteralString, ...] = (
    "SELECT CASE WHEN node IS NULL THEN 'queued-call-left' ELSE 'live-call-left' END, call_id::text,"
    " 'its row is still ' || status || CASE WHEN node IS NULL THEN ', and nobody has claimed it'"
    " ELSE ' on node ' || node END FROM calls WHERE ended_at IS NULL",
    "SELECT 'live-leg-left', call_id::text, 'its leg ' || leg || ' to ' || to_number || ' has no end' FROM legs"
    " WHERE ended_at IS NULL",
    "SELECT 'delivery-left', call_id::text, 'delivery ' || number || ' of lane ' || lane || ' to ' || url ||"
    " ' is still pending after ' || attempts || ' attempts: ' || coalesce(last_error, last_status::text, 'none ended')"
    " FROM deliveries WHERE state = 'pending'",
    "SELECT 'recording-left', call_id::text, 'its recording ' || recording_id || ' is still ' || state || ': ' ||"
    " coalesce(problem, 'no problem told') FROM recordings WHERE state IN ('in-progress', 'processing')",
    "SELECT 'request-left', call_id::text, 'the ' || kind || ' that was asked of it has no answer'"
    " FROM control_requests WHERE state = 'asked'",
    "SELECT 'dead-server-left', NULL, 'call server ' || server_id || ' is listed, but its session is gone'"
    " FROM call_servers WHERE fenced_at IS NULL AND NOT EXISTS (SELECT FROM pg_stat_activity AS session"
    " WHERE session.pid = backend_pid AND session.backend_start = call_servers.backend_start)",
    # Locks with two keys are shards of a media node; the one with a single key ends with its transaction.
    "SELECT 'stray-lock', NULL, 'session ' || pid || ' holds shard ' || objid || ' of node key ' || classid ||"
    " ', but is the session of no listed call server' FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND NOT EXISTS (SELECT FROM call_servers WHERE backend_pid = pid)",
)


def read_tables(dsn: str) -> Tables:
    """Everything, as of one moment; raises CannotLook."""
    try:
        with psycopg.connect(dsn, connect_timeout=5, options="-c statement_timeout=20s") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            return tables_of(connection)
    except psycopg.Error as error:
        raise CannotLook(f"the database: {error}") from error


def tables_of(connection: Connection[Any]) -> Tables:
    """What a connection sees; raises psycopg's errors."""
    left = [Left(*row) for statement in _LEFT for row in connection.execute(statement).fetchall()]
    return Tables(
        tuple(_all(connection, CallRow, _CALLS)),
        tuple(_all(connection, LegRow, _LEGS)),
        tuple(_all(connection, EventRow, _EVENTS)),
        tuple(_all(connection, CallbackRow, _CALLBACKS)),
        tuple(_all(connection, JournalRow, _JOURNALS)),
        tuple(left),
        frozenset(call for (call,) in connection.execute(_RECORDED).fetchall()),
    )


def _all(connection: Connection[Any], row: Callable[..., RowT], statement: LiteralString) -> list[RowT]:
    with connection.cursor(row_factory=class_row(row)) as cursor:  # type: ignore[arg-type]
        return cursor.execute(statement).fetchall()
