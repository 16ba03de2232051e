"""Write many records in one transaction: the journal first, then what comes of the entries that were new."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from controlplane.base.errors import BadInput
from controlplane.base.ids import CallId
from controlplane.store.channels import OUTBOX
from controlplane.store.database import Transaction
from controlplane.store.edge import columns_of, rows_as
from controlplane.store.queries import query
from controlplane.store.records import JournalConflict, Record
from controlplane.store.rows import Row, journal_row, rows_of

_APPEND_JOURNAL = query("append_journal")
_INSERT_JOURNAL = query("insert_journal")
_FIND_JOURNAL = query("find_journal")
_TELL = query("tell")
_OTHERS = {
    name: query(name)
    for name in (
        "open_calls", "change_calls", "open_legs", "change_legs", "insert_events", "insert_deliveries",
        "insert_recordings", "insert_notes", "answer_requests", "fail_requests",
    )
}  # fmt: skip
_WAKES_WORKERS = frozenset({"insert_deliveries", "insert_recordings"})

Place = tuple[CallId, int]

# What PostgreSQL says of records that it will never take. Anything else says something of it (that it is away, a
# standby, not migrated yet), and it may take them later.
REFUSED = (psycopg.DataError, psycopg.IntegrityError, ValueError, BadInput)
AWAY = (psycopg.Error, OSError)


class Conflicts(Exception):
    """Some places of the journal hold other entries than these; nothing was written."""

    def __init__(self, places: frozenset[Place]) -> None:
        self.places = places
        super().__init__(len(places))

    def calls_among(self, records: Iterable[Record]) -> set[CallId]:
        """The calls of those of these records that are for such a place."""
        return {record.call for record in records if (record.call, record.seq) in self.places}


class Twins(Conflicts):
    """Some places are wanted for two different entries among these themselves; nothing was written."""


async def write_records(connection: AsyncConnection[Any], records: Sequence[Record]) -> None:
    """Write records, whole or not at all; those that are written already are passed over.

    Raises Conflicts if some are written differently (Twins: are to be), or psycopg's errors. As a rule everything is
    new, and goes out in one round trip; only when it proves not to be is it found out what is.
    """
    wanted = _each_place_once(records)
    try:
        async with connection.pipeline(), connection.transaction():
            await append(connection, list(wanted.values()))
    except UniqueViolation:
        await _write_what_is_new(connection, wanted)


async def append(connection: AsyncConnection[Any], records: Sequence[Record]) -> None:
    """Write records that must be new, in the transaction that is open."""
    await connection.execute(_APPEND_JOURNAL.text, _journal_columns(records))
    await _write_rows(connection, records)


async def _write_what_is_new(connection: AsyncConnection[Any], wanted: dict[Place, Record]) -> None:
    async with connection.pipeline(), connection.transaction():
        fresh = await _insert_journal(connection, wanted)
        await _check_the_rest(connection, {place: record for place, record in wanted.items() if place not in fresh})
        await _write_rows(connection, [record for place, record in wanted.items() if place in fresh])


async def write_within(tx: Transaction, records: Sequence[Record]) -> None:
    """Write records in a transaction that does more; raises JournalConflict."""
    try:
        await write_records(tx.connection, records)
    except Conflicts as conflicts:
        raise JournalConflict(call=min(call for call, _ in conflicts.places)) from conflicts


async def write_aside(tx: Transaction, record: Record) -> None:
    """Write what a record brings but not the record itself: news of a call that is no entry of its journal."""
    async with tx.connection.pipeline():
        await _write_rows(tx.connection, [record])


async def _write_rows(connection: AsyncConnection[Any], records: Sequence[Record]) -> None:
    rows = rows_of(records).by_query()
    for name, some in rows.items():
        statement = _OTHERS[name]
        columns = columns_of(some)
        await connection.execute(statement.text, {name: columns[name] for name in statement.values})
    if _WAKES_WORKERS & rows.keys():
        await connection.execute(_TELL.text, {"channel": OUTBOX, "payload": ""})


def _each_place_once(records: Sequence[Record]) -> dict[Place, Record]:
    wanted: dict[Place, Record] = {}
    for record in records:
        if wanted.setdefault((record.call, record.seq), record) != record:
            raise Twins(frozenset({(record.call, record.seq)}))
    return wanted


def second_of_twins(groups: Iterable[Sequence[Record]]) -> list[frozenset[CallId]]:
    """Of each group of records, in their order: its calls if it is for a place for which an earlier entry is.

    Whoever came first has the place, as if it had come a commit earlier. What comes later of these calls follows from
    the second entry, and goes with it.
    """
    taken: dict[Place, Record] = {}
    twins: set[CallId] = set()
    found: list[frozenset[CallId]] = []
    for records in groups:
        is_second = any(
            record.call in twins or taken.setdefault((record.call, record.seq), record) != record for record in records
        )
        found.append(frozenset(record.call for record in records) if is_second else frozenset())
        twins |= found[-1]
    return found


def _journal_columns(records: Iterable[Record]) -> dict[str, str]:
    return columns_of([journal_row(record) for record in records])


async def _insert_journal(connection: AsyncConnection[Any], wanted: dict[Place, Record]) -> set[Place]:
    async with connection.cursor(row_factory=rows_as(_place)) as cursor:
        await cursor.execute(_INSERT_JOURNAL.text, _journal_columns(wanted.values()))
        return set(await cursor.fetchall())


async def _check_the_rest(connection: AsyncConnection[Any], wanted: dict[Place, Record]) -> None:
    found = await find_written(connection, list(wanted))
    differing = {place for place, row in found.items() if journal_row(wanted[place]) != row}
    if differing:
        raise Conflicts(frozenset(differing))


async def find_written(connection: AsyncConnection[Any], places: Sequence[Place]) -> dict[Place, Row]:
    """What the journal has at some places; those where nothing is written are left out."""
    if not places:
        return {}
    asked = columns_of([{"call_id": call, "seq": seq} for call, seq in places])
    async with connection.cursor(row_factory=rows_as(_row)) as cursor:
        await cursor.execute(_FIND_JOURNAL.text, asked)
        return {(row["call_id"], row["seq"]): row for row in await cursor.fetchall()}


def _row(**columns: Any) -> Row:
    return columns


def _place(call_id: CallId, seq: int) -> Place:
    return call_id, seq
