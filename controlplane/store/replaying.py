"""Records of a spool written into the database: each once, in order, and never over what somebody else wrote.

While records wait in a spool another process may have gone on with the call from what the database had (its host was
thought dead, say). The journal in the database is the call then: what others have read of it, and acted upon, cannot be
taken back. So a record is written only where the journal's next place is its own; one that is there already is passed
over; and one that finds something else in its place is set aside with all that follows of its call (decision 0009).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation

from controlplane.base.ids import CallId
from controlplane.store.connecting import cut_after
from controlplane.store.edge import rows_as, to_database
from controlplane.store.queries import query
from controlplane.store.records import Record
from controlplane.store.rows import Row, journal_row
from controlplane.store.spool import Spool
from controlplane.store.writing import REFUSED, Place, append, find_written

log = logging.getLogger(__name__)

_HEADS = query("find_heads")
_SEE_ONE_MOMENT = query("see_one_moment")
MOST_AT_ONCE = 500
ANSWER_TIMEOUT_S = 15.0
_RACES = 3  # with others that write the same at the same time

Count = Callable[[str, int], None]  # what became of records, and of how many


@dataclass(frozen=True, slots=True)
class Sorted:
    """Records that are to be written, in order, and those that never can be."""

    fresh: tuple[Record, ...]
    conflicting: tuple[Record, ...]


def sort_out(
    records: Iterable[Record], written: Mapping[Place, Row], heads: Mapping[CallId, int], lost: frozenset[CallId]
) -> Sorted:
    """Hold records against the journals. Pure.

    `written` is what stands at their places, `heads` the last place of each journal (none: nothing is written yet),
    `lost` calls of which an earlier record was in conflict.
    """
    fresh: dict[Place, Record] = {}
    conflicting: list[Record] = []
    next_places = {call: head + 1 for call, head in heads.items()}
    gone = set(lost)
    for record in records:
        place = (record.call, record.seq)
        if record.call in gone:
            conflicting.append(record)
        elif _is_there(record, written.get(place), fresh.get(place)):
            continue
        elif place in written or place in fresh or record.seq != next_places.get(record.call, 0):
            gone.add(record.call)
            conflicting.append(record)
        else:
            fresh[place] = record
            next_places[record.call] = record.seq + 1
    return Sorted(tuple(fresh.values()), tuple(conflicting))


def _is_there(record: Record, written: Row | None, fresh: Record | None) -> bool:
    return fresh == record or (written is not None and written == journal_row(record))


async def replay_spool(
    connection: AsyncConnection[Any], spool: Spool, count: Count, *, answer_timeout_s: float = ANSWER_TIMEOUT_S
) -> frozenset[CallId]:
    """Write all that waits in a spool by now, and remove its files; answers the calls of which something was set aside.

    Raises psycopg's errors when the database is away, or does not answer a few hundred records within
    `answer_timeout_s`; OSError. Whatever was done by then need not be done again.
    """
    lost = {record.call for record in (await asyncio.to_thread(spool.aside)).records}
    for path in await asyncio.to_thread(spool.rotate):
        found = await asyncio.to_thread(spool.read, path)
        for some in _chunks(found.records):
            with cut_after(connection, answer_timeout_s):
                aside = await _replay(connection, some, lost)
            await _set_aside(spool, aside, ())
            count("set-aside", len(aside))
            count("replayed", len(some) - len(aside))
        if found.unreadable:
            log.error("spool_damaged", extra={"spool": spool.folder.name, "pieces": len(found.unreadable)})
            await _set_aside(spool, (), found.unreadable)
            count("set-aside", len(found.unreadable))
        await asyncio.to_thread(spool.remove, path, len(found.records))
    return frozenset(lost)


async def _set_aside(spool: Spool, records: Sequence[Record], unreadable: Sequence[bytes]) -> None:
    for record in records:
        log.error("record_set_aside", extra={"call": record.call, "seq": record.seq, "kind": record.kind})
    if records or unreadable:
        await asyncio.to_thread(spool.set_aside, records, unreadable)


async def _replay(connection: AsyncConnection[Any], records: Sequence[Record], lost: set[CallId]) -> list[Record]:
    """Write records; answers those that never can be, and adds their calls to `lost`.

    What the database refuses is taken apart, so that only the bad part of it is left out.
    """
    try:
        aside = await _write(connection, records, frozenset(lost))
    except REFUSED as error:
        if len(records) > 1:
            middle = len(records) // 2
            first = await _replay(connection, records[:middle], lost)
            return first + await _replay(connection, records[middle:], lost)
        log.error("record_refused", extra={"call": records[0].call, "problem": type(error).__name__})
        aside = list(records)
    lost |= {record.call for record in aside}
    return aside


async def _write(connection: AsyncConnection[Any], records: Sequence[Record], lost: frozenset[CallId]) -> list[Record]:
    race = 0
    while True:
        try:
            async with connection.transaction():
                # What was cut off may be committed all the same: between two looks it would be its own conflict.
                await connection.execute(_SEE_ONE_MOMENT.text)
                written = await find_written(connection, [(record.call, record.seq) for record in records])
                heads = await _heads(connection, {record.call for record in records})
                found = sort_out(records, written, heads, lost)
                if found.fresh:
                    await append(connection, found.fresh)
                return list(found.conflicting)
        except UniqueViolation:
            race += 1
            if race == _RACES:
                raise


async def _heads(connection: AsyncConnection[Any], calls: Iterable[CallId]) -> dict[CallId, int]:
    async with connection.cursor(row_factory=rows_as(_head)) as cursor:
        await cursor.execute(_HEADS.text, to_database({"call_ids": sorted(calls)}))
        return dict(await cursor.fetchall())


def _head(call_id: CallId, seq: int) -> tuple[CallId, int]:
    return call_id, seq


def _chunks(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    for start in range(0, len(records), MOST_AT_ONCE):
        yield records[start : start + MOST_AT_ONCE]
