"""Rows that are gone, doubled or not as they should be."""

from __future__ import annotations

from typing import LiteralString

from tests.postgres.ledger.cast import BUSY, LOST, PLACED, TALKS
from tests.postgres.ledger.journals import b_leg_of
from tests.postgres.ledger.mutation import Mutate, Mutation
from tests.postgres.ledger.scene import Scene


def _sql(statement: LiteralString, whose: str = TALKS) -> Mutate:
    def mutate(scene: Scene) -> None:
        call = scene.uuid(whose)
        scene.sql(statement, call=call, leg=b_leg_of(scene.calls[whose]))

    return mutate


_RECORDING: LiteralString = (
    "INSERT INTO recordings (recording_id, account_id, call_id, leg, created_at, channels, is_trimmed, source, state,"
    " node) SELECT gen_random_uuid(), account_id, call_id, call_id, now(), 1, false, 'OutboundAPI', '{}', 'm1'"
    " FROM calls WHERE call_id = %(call)s"
)
_ALL_OF_IT: LiteralString = (
    "WITH gone AS (DELETE FROM calls WHERE call_id = %(call)s), log AS (DELETE FROM events WHERE call_id = %(call)s),"
    " out AS (DELETE FROM deliveries WHERE call_id = %(call)s) DELETE FROM journal WHERE call_id = %(call)s"
)
_TABLES: tuple[tuple[str, LiteralString, str, tuple[str, ...]], ...] = (
    (
        "the row of a call is gone",
        _ALL_OF_IT,
        BUSY,
        ("event-not-logged",),  # and nothing else: who is told that it is busy needs no row
    ),
    (
        "all that was written of a caller who talked is gone",
        _ALL_OF_IT,
        LOST,
        ("event-not-logged", "caller-without-row"),
    ),
    (
        "a call has its row and nothing else",
        "DELETE FROM journal WHERE call_id = %(call)s",
        TALKS,
        ("journal-missing",),
    ),
    (
        "an entry of a journal is gone",
        "DELETE FROM journal WHERE call_id = %(call)s AND seq = 2",
        TALKS,
        ("journal-gap",),
    ),
    (
        "the first entry of a journal is gone",
        "DELETE FROM journal WHERE call_id = %(call)s AND seq = 0",
        TALKS,
        ("journal-gap",),
    ),
    (
        "a journal has no call",
        "INSERT INTO journal SELECT at_ms, seq, gen_random_uuid(), digest, kind, data FROM journal"
        " WHERE call_id = %(call)s AND seq = 0",
        TALKS,
        ("journal-without-call",),
    ),
    (
        "the row of a call is there twice",
        "INSERT INTO calls (account_id, call_id, created_at, answered_at, ended_at, status, direction, from_number,"
        " to_number, node, result, reason, cause)"
        " SELECT account_id, gen_random_uuid(), created_at, answered_at, ended_at, status, direction, from_number,"
        " to_number, node, result, reason, cause FROM calls WHERE call_id = %(call)s",
        TALKS,
        ("caller-with-several-rows", "journal-missing", "not-one-final-event"),
    ),
    (
        "the row of a leg is gone",
        "DELETE FROM legs WHERE leg = %(leg)s",
        TALKS,
        ("telephone-without-row", "record-without-row"),
    ),
    (
        "a leg has two rows",
        "INSERT INTO legs SELECT call_id, gen_random_uuid(), account_id, created_at, ringing_at, answered_at, ended_at,"
        " sip_status, role, from_number, to_number, cause, sip_call_id FROM legs WHERE leg = %(leg)s",
        TALKS,
        ("rows-dial-twice",),
    ),
    ("a call has no end", "UPDATE calls SET ended_at = NULL WHERE call_id = %(call)s", TALKS, ("live-call-left",)),
    (
        "a call waits in the queue",
        "UPDATE calls SET ended_at = NULL, node = NULL, status = 'queued' WHERE call_id = %(call)s",
        PLACED,
        ("queued-call-left",),
    ),
    ("a leg has no end", "UPDATE legs SET ended_at = NULL WHERE leg = %(leg)s", TALKS, ("live-leg-left",)),
    (
        "a call has ended without a verdict",
        "UPDATE calls SET result = NULL, reason = NULL WHERE call_id = %(call)s",
        TALKS,
        ("no-verdict",),
    ),
    (
        "a call has ended without a cause",
        "UPDATE calls SET cause = NULL WHERE call_id = %(call)s",
        TALKS,
        ("no-verdict",),
    ),
    (
        "a call has ended and goes on",
        "UPDATE calls SET status = 'in-progress' WHERE call_id = %(call)s",
        TALKS,
        ("no-verdict",),
    ),
    (
        "the verdict of a lost call says that somebody hung up",
        "UPDATE calls SET reason = 'normal-clearing', cause = 'NORMAL_CLEARING' WHERE call_id = %(call)s",
        LOST,
        ("lost-without-saying",),
    ),
    (
        "a lost call went on for too long",
        "UPDATE calls SET ended_at = ended_at + interval '5 s' WHERE call_id = %(call)s",
        LOST,
        ("durations-differ",),
    ),
    (
        "a call lasted longer in the database",
        "UPDATE calls SET ended_at = ended_at + interval '1.1 s' WHERE call_id = %(call)s",
        TALKS,
        ("durations-differ",),
    ),
    (
        "a leg lasted longer in the database",
        "UPDATE legs SET answered_at = answered_at - interval '1.2 s' WHERE leg = %(leg)s",
        TALKS,
        ("durations-differ",),
    ),
    (
        "nobody knows that a call was answered",
        "UPDATE calls SET answered_at = NULL WHERE call_id = %(call)s",
        TALKS,
        ("answer-in-doubt", "durations-differ"),
    ),
    (
        "a busy call was answered",
        "UPDATE calls SET answered_at = ended_at WHERE call_id = %(call)s",
        BUSY,
        ("answer-in-doubt",),
    ),
    (
        "an event is gone",
        "DELETE FROM events WHERE call_id = %(call)s AND sequence = 1",
        TALKS,
        ("event-numbers", "event-not-logged"),
    ),
    (
        "more events were counted",
        "UPDATE calls SET event_count = event_count + 1 WHERE call_id = %(call)s",
        TALKS,
        ("event-numbers",),
    ),
    (
        "events have no call",
        "INSERT INTO events SELECT gen_random_uuid(), 0, gen_random_uuid(), account_id, occurred_at, leg, kind, data"
        " FROM events WHERE call_id = %(call)s AND sequence = 0",
        TALKS,
        ("event-numbers",),
    ),
    (
        "a call has two final events",
        "WITH counted AS (UPDATE calls SET event_count = event_count + 1 WHERE call_id = %(call)s)"
        " INSERT INTO events SELECT call_id, sequence + 1, gen_random_uuid(), account_id, occurred_at, leg,"
        " 'call.failed', data FROM events WHERE call_id = %(call)s ORDER BY sequence DESC LIMIT 1",
        TALKS,
        ("not-one-final-event", "event-not-queued"),
    ),
    (
        "a call has no final event",
        "UPDATE events SET kind = 'call.held' WHERE call_id = %(call)s AND kind = 'call.completed'",
        TALKS,
        ("not-one-final-event", "event-differs"),
    ),
    (
        "an event was not put into the outbox",
        "DELETE FROM deliveries WHERE call_id = %(call)s AND lane = 0 AND number = 1",
        TALKS,
        ("event-not-queued",),
    ),
    (
        "no event of a call was put into the outbox",
        "DELETE FROM deliveries WHERE call_id = %(call)s AND lane = 0",
        BUSY,
        ("event-not-queued",),
    ),
    (
        "no event of a call that was placed without an app was put into the outbox",
        "WITH told AS (DELETE FROM deliveries WHERE call_id = %(call)s AND lane = 0)"
        ' UPDATE calls SET app_id = NULL, facts = \'{"facts": {"webhook_url": "http://app/events"}}\''
        " WHERE call_id = %(call)s",
        PLACED,
        ("event-not-queued",),
    ),
    (
        "a delivery is pending",
        "UPDATE deliveries SET state = 'pending' WHERE call_id = %(call)s AND lane = 0 AND number = 0",
        TALKS,
        ("delivery-left",),
    ),
    (
        "a callback was counted and is not in the outbox",
        "DELETE FROM deliveries WHERE call_id = %(call)s AND lane = 1 AND number = 1",
        TALKS,
        ("callback-numbers", "callback-not-queued"),
    ),
    (
        "callbacks have no call",
        "UPDATE deliveries SET call_id = gen_random_uuid() WHERE call_id = %(call)s AND lane = 1",
        TALKS,
        ("callback-numbers", "callback-not-queued", "callback-not-received"),
    ),
    (
        "a recording is on its way",
        _RECORDING.format("processing"),
        TALKS,
        ("recording-left",),
    ),
    (
        "a recording never ended",
        _RECORDING.format("in-progress"),
        TALKS,
        ("recording-left",),
    ),
    (
        "a request waits for its answer",
        "INSERT INTO control_requests (request_id, account_id, call_id, kind, data)"
        " SELECT gen_random_uuid(), account_id, call_id, 'redirect', '{}' FROM calls WHERE call_id = %(call)s",
        TALKS,
        ("request-left",),
    ),
)
# What is named there is no call, or one that nobody knows.
_OF_NOBODY = {"a journal has no call", "events have no call", "the row of a leg is gone"}

SPOILT_ROWS = tuple(
    Mutation(name, frozenset(checks), _sql(statement, whose), "" if name in _OF_NOBODY else whose)
    for name, statement, whose, checks in _TABLES
)
