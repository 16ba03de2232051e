"""End a call that nobody can go on with: its journal cannot be read or replayed, nobody knows whether it was dialled,
or its media node is gone for good.

It gets its verdict through the machine, so that its tenant is told what any other end would have told: as far as its
journal can be replayed, and where nothing of it can, from what its row says. The end is written behind the journal, so
that whoever still has the call finds that place taken.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from controlplane.base.causes import Cause, verdict_of
from controlplane.base.ids import AccountId, CallId, LegId, leg_of_call
from controlplane.calls.events import CallOffered, CallPlaced, Entry, LegEnded
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.journal import encode_event
from controlplane.calls.machine import CallMachine
from controlplane.services.apps import status_callback_of
from controlplane.services.load_live_calls import JournalLine, load_journal
from controlplane.store.database import Transaction
from controlplane.store.derive import record_of
from controlplane.store.facts import read_facts
from controlplane.store.minting import now_ms
from controlplane.store.queries import query
from controlplane.store.records import CallChanged, CallOpened, Record
from controlplane.store.writing import write_within
from controlplane.verbs.documents import Method

log = logging.getLogger(__name__)

_LOCK, _B_LEGS, _END_B_LEGS = query("lock_live_call"), query("living_b_legs"), query("end_b_legs")


@dataclass(frozen=True, slots=True)
class _Row:
    call_id: CallId
    account_id: AccountId
    node: str | None
    direction: str
    from_number: str
    to_number: str
    app_id: str | None
    facts: str | None
    webhook_url: str | None
    status_callback_url: str | None
    status_callback_method: Method | None
    status_callback_events: list[str] | None


async def write_off_call(
    tx: Transaction, account_id: AccountId, call_id: CallId, cause: Cause, *, at_ms: int | None = None
) -> list[LegId]:
    """Give a call its one final verdict, which says `cause`; answers the B-legs that had not ended.

    It ended at `at_ms`, the present where that is None, and so did they. A call that has its verdict keeps it. Raises
    JournalConflict if somebody goes on with it at this moment.
    """
    row = await tx.maybe(_Row, _LOCK, account_id=account_id, call_id=call_id)
    b_legs = await tx.all(_leg, _B_LEGS, account_id=account_id, call_id=call_id)
    lines = await load_journal(tx, call_id)
    ended_ms = max(now_ms() if at_ms is None else at_ms, *(line.at_ms for line in lines), 0)
    if row is not None:
        await write_within(tx, _end_of(row, lines, cause, ended_ms))
        log.error("call_written_off", extra={"call": call_id, "cause": cause.value, "entries": len(lines)})
    await tx.run(_END_B_LEGS, account_id=account_id, call_id=call_id, at_ms=ended_ms, cause=cause.value)
    return b_legs


def _end_of(row: _Row, lines: Sequence[JournalLine], cause: Cause, at_ms: int) -> list[Record]:
    good = _count_good(lines)
    for machine in (_replayed(lines[:good]), CallMachine()):
        # A defect of ours may be why we are here: a machine that falls over its end is left, too.
        with suppress(Exception):
            return [*_ended(machine, row, lines, cause, at_ms)]
    return [_bare_end(row, lines, cause, at_ms)]


def _count_good(lines: Sequence[JournalLine]) -> int:
    """How many entries can be read and replayed."""
    machine = CallMachine()
    for good, line in enumerate(lines):
        if line.seq != good:  # what is missing there was done all the same
            return good
        try:
            machine.handle(line.entry())
        except Exception:
            log.info("journal_broken", extra={"call": line.call_id, "seq": line.seq})
            return good
    return len(lines)


def _replayed(lines: Sequence[JournalLine]) -> CallMachine:
    machine = CallMachine()
    for line in lines:
        machine.handle(line.entry())
    return machine


def _bare_end(row: _Row, lines: Sequence[JournalLine], cause: Cause, at_ms: int) -> Record:
    """No more than the verdict."""
    verdict = verdict_of(cause, None, was_answered=False)
    changed = CallChanged(
        status=verdict.result, ended_ms=at_ms, result=verdict.result, reason=verdict.reason, cause=cause
    )
    kind, data = encode_event(LegEnded(leg_of_call(row.call_id), cause))
    return Record(row.account_id, row.call_id, _next(lines), at_ms, kind, data, b"", (changed,))


def _next(lines: Sequence[JournalLine]) -> int:
    return lines[-1].seq + 1 if lines else 0


def _ended(machine: CallMachine, row: _Row, lines: Sequence[JournalLine], cause: Cause, at_ms: int) -> Iterator[Record]:
    seq = _next(lines)
    if machine.state is None:
        begun = _begun(row)
        commands = machine.handle(Entry(0, at_ms, begun))
        if not lines:  # claimed, and never begun
            yield _without_row(record_of(begun.facts, Entry(0, at_ms, begun), commands))
            seq = 1
    living = sorted(machine.living_legs, key=lambda leg: leg.id != machine.facts.a_leg)
    if not living or living[0].id != machine.facts.a_leg:
        raise ValueError("the call is over by its journal, and not by its row")
    for place, leg in enumerate(living, seq):
        entry = Entry(place, at_ms, LegEnded(leg.id, cause))
        yield record_of(machine.facts, entry, machine.handle(entry))


def _without_row(record: Record) -> Record:
    """The call has its row, also where nobody can read how it was placed there."""
    return replace(record, writes=tuple(write for write in record.writes if not isinstance(write, CallOpened)))


def _begun(row: _Row) -> CallOffered | CallPlaced:
    """How a call began of which no entry can be read."""
    with suppress(ValueError):
        if row.facts is not None:
            return CallPlaced(read_facts(row.facts, row.node or ""))
    callback = status_callback_of(
        row.status_callback_url, row.status_callback_method or "POST", row.status_callback_events or []
    )
    facts = Facts(
        row.call_id, row.account_id, leg_of_call(row.call_id), row.node or "", Direction(row.direction),
        row.from_number, row.to_number, app=row.app_id, status_callback=callback, webhook_url=row.webhook_url,
    )  # fmt: skip
    return CallOffered(facts)


def _leg(leg: str) -> LegId:
    return LegId(leg)
