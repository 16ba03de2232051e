"""A stored call, run through the machine again and held against what was recorded when it lived."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.base.errors import NotFound
from controlplane.base.ids import CallId
from controlplane.calls.journal import digest_of
from controlplane.calls.machine import CallMachine
from controlplane.services.load_live_calls import JournalLine, load_journal
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.wiring.places import database_url_of


@dataclass(frozen=True, slots=True)
class ReplayedStep:
    """One entry, the commands it gives now, and whether those are the ones it gave then."""

    seq: int
    at_ms: int
    event: str
    commands: tuple[str, ...]
    is_same: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """A whole call."""

    call: str
    status: str
    steps: tuple[ReplayedStep, ...]

    @property
    def is_same(self) -> bool:
        return all(step.is_same for step in self.steps)


async def replay_call(settings: Settings, call: str) -> Replayed:
    """Replay a call of any account, for the operator. Raises NotFound, Unavailable."""
    async with Database(database_url_of(settings), size=1) as db, db.transaction() as tx:
        lines = await load_journal(tx, CallId(call))
    if not lines:
        raise NotFound(None, call=call)
    machine = CallMachine()
    steps = tuple(_replayed(machine, line) for line in lines)
    return Replayed(call, machine.status, steps)


def _replayed(machine: CallMachine, line: JournalLine) -> ReplayedStep:
    entry = line.maybe_entry()
    if entry is None:
        return ReplayedStep(line.seq, line.at_ms, f"{line.kind}: cannot be read by this version", (), is_same=False)
    try:
        commands = machine.handle(entry)
    except Exception as error:  # whatever it was: that is what whoever replays wants to know
        return ReplayedStep(line.seq, line.at_ms, f"{entry.event}: {error!r}", (), is_same=False)
    is_same = line.digest == digest_of(commands)
    return ReplayedStep(line.seq, line.at_ms, str(entry.event), tuple(map(str, commands)), is_same)
