"""The call server's journal and archive, kept in PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic

from controlplane.base.causes import Cause
from controlplane.base.ids import CallId, LegId, leg_of_call
from controlplane.calls.commands import Command
from controlplane.calls.events import CallOffered, CallPlaced, Entry
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.machine import CallMachine
from controlplane.callserver.dialling import number_shown
from controlplane.callserver.ports import Numbers, Stored
from controlplane.callserver.turns import in_turns
from controlplane.services.load_live_calls import LiveCall, count_live_calls, find_calls_over, load_live_calls
from controlplane.services.write_off_call import write_off_call
from controlplane.store.database import Database
from controlplane.store.derive import record_of
from controlplane.store.heirs import Heirs, SpoolWaits
from controlplane.store.journal import Recorder

log = logging.getLogger(__name__)


# A claimant waits for the database (PATIENCE_S of wiring/recording.py) before its first entry goes to its disk and it
# dials. A claim as young as this, by the database's clock, that we can read already was not dialled yet.
FRESH_S = 1.0


@dataclass(slots=True)
class DatabaseJournal:
    """Entries go to the Recorder, with everything that their commands write down."""

    recorder: Recorder
    numbers: Numbers

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        facts = machine.facts
        record = record_of(facts, entry, commands, lambda number: number_shown(facts, number, self.numbers))
        return self.recorder.submit((record,), is_urgent=is_urgent)


@dataclass(slots=True)
class DatabaseArchive:
    """Live calls are read back from their journals, and may be written again by whoever lost them before.

    First all that this host has of them on its disk must be in the database: their journals are not whole before. A
    journal that cannot be read may be another version's, whose servers go on with the call while a new release comes:
    only when that is so for `patience_s` it is said that nobody can. Of one with a gap that is said at once.

    A claim without a journal is still to be dialled if nothing of its claimant can be anywhere but in the database:
    it is of this host (`server_id` begins with its name) and left nothing here, or it is younger than FRESH_S, and went
    to the database first.
    """

    server_id: str
    db: Database
    recorder: Recorder
    heirs: Heirs
    patience_s: float = 120.0
    _unreadable_since_s: dict[CallId, float] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        return self.recorder.is_settled

    async def count_live(self, apps: Sequence[str]) -> Mapping[str, int]:
        async with self.db.transaction() as tx:
            return await count_live_calls(tx, apps)

    async def settle(self) -> None:
        await self.heirs.settle()

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        if not self.recorder.is_settled_of(shards):
            raise SpoolWaits
        await self.heirs.insist()
        async with self.db.transaction() as tx:
            calls = await load_live_calls(tx, node, shards, but)
        found = []
        async for call in in_turns(calls):
            self.recorder.forget(call.call_id)
            if (stored := self._maybe_stored(call, node)) is not None:
                found.append(replace(stored, may_have_been_dialled=await self._may_have_been_dialled(call)))
        return found

    async def over(self, calls: Sequence[CallId]) -> Sequence[CallId]:
        async with self.db.transaction() as tx:
            return await find_calls_over(tx, calls)

    async def write_off(self, facts: Facts, cause: Cause) -> Sequence[LegId]:
        async with self.db.transaction() as tx:
            legs = await write_off_call(tx, facts.account, facts.call, cause)
        self._unreadable_since_s.pop(facts.call, None)
        return legs

    async def _may_have_been_dialled(self, call: LiveCall) -> bool:
        if call.journal or call.has_verdict or call.claimed_ago_s is None or call.claimed_ago_s < FRESH_S:
            return False
        claimant = call.claimed_by or ""
        if _host_of(claimant) != _host_of(self.server_id):
            return True
        return claimant != self.server_id and await self.heirs.holds(claimant)

    def _maybe_stored(self, call: LiveCall, node: str) -> Stored | None:
        try:
            return _stored(call)
        except ValueError as error:
            # It must not keep us, and whoever comes after us, from all other calls. What the error says of itself may
            # tell what it read: numbers, and keys that were pressed.
            log.error("journal_unreadable", extra={"call": call.call_id, "problem": type(error).__name__})
        since_s = self._unreadable_since_s.setdefault(call.call_id, monotonic())
        if monotonic() - since_s < self.patience_s and _is_whole(call):
            return None
        a_leg = leg_of_call(call.call_id)
        nobody = Facts(call.call_id, call.account_id, a_leg, node, Direction.INBOUND, "", "")
        return Stored(nobody, (), call.moves, is_readable=False, has_verdict=call.has_verdict)


def _stored(call: LiveCall) -> Stored:
    """A call as its journal has it; raises ValueError if this version cannot read it, or nobody can."""
    if not _is_whole(call):
        raise ValueError("a gap")
    entries = tuple(line.entry() for line in call.journal)
    facts = _facts_of(entries) or call.facts
    if facts is None:
        raise ValueError("no facts")
    return Stored(facts, entries, call.moves, has_verdict=call.has_verdict)


def _host_of(server_id: str) -> str:
    """Of a server's id, which is host-process-random."""
    return server_id.rsplit("-", 2)[0]


def _is_whole(call: LiveCall) -> bool:
    """Say whether no entry is missing in the middle: what was done for it is not known, so no replay is true."""
    return all(line.seq == place for place, line in enumerate(call.journal))


def _facts_of(entries: tuple[Entry, ...]) -> Facts | None:
    first = entries[0].event if entries else None
    return first.facts if isinstance(first, CallOffered | CallPlaced) else None
