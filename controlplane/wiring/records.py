"""The call server's journal and archive, kept in PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from controlplane.base.ids import CallId
from controlplane.calls.commands import Command
from controlplane.calls.events import CallOffered, CallPlaced, Entry
from controlplane.calls.facts import Facts
from controlplane.calls.machine import CallMachine
from controlplane.callserver.ports import Stored
from controlplane.callserver.turns import in_turns
from controlplane.services.load_live_calls import LiveCall, load_live_calls
from controlplane.store.database import Database
from controlplane.store.derive import record_of
from controlplane.store.heirs import Heirs, SpoolWaits
from controlplane.store.journal import Recorder

log = logging.getLogger(__name__)


@dataclass(slots=True)
class DatabaseJournal:
    """Entries go to the Recorder, with everything that their commands write down."""

    recorder: Recorder

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        return self.recorder.submit((record_of(machine.facts, entry, commands),), is_urgent=is_urgent)


@dataclass(slots=True)
class DatabaseArchive:
    """Live calls are read back from their journals, and may be written again by whoever lost them before.

    First all that this host has of them on its disk must be in the database: their journals are not whole before.
    """

    db: Database
    recorder: Recorder
    heirs: Heirs

    @property
    def is_settled(self) -> bool:
        return self.recorder.is_settled

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        if not self.is_settled:
            raise SpoolWaits
        await self.heirs.settle()
        async with self.db.transaction() as tx:
            calls = await load_live_calls(tx, node, shards, but)
        found = []
        async for call in in_turns(calls):
            self.recorder.forget(call.call_id)
            if (stored := _stored(call)) is not None:
                found.append(stored)
        return found


def _stored(call: LiveCall) -> Stored | None:
    try:
        entries = tuple(line.entry() for line in call.journal)
    except ValueError as error:
        # Written by another version. It must not keep us, and whoever comes after us, from all other calls. What it
        # says of itself may tell what it read: numbers, and keys that were pressed.
        log.error("journal_unreadable", extra={"call": call.call_id, "problem": type(error).__name__})
        return None
    facts = _facts_of(entries) or call.facts
    return Stored(facts, entries, call.moves) if facts is not None else None


def _facts_of(entries: tuple[Entry, ...]) -> Facts | None:
    first = entries[0].event if entries else None
    return first.facts if isinstance(first, CallOffered | CallPlaced) else None
