"""What must not be done twice is done when it is on record, and not before: else nobody could take the call over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from controlplane.calls.commands import REPEATABLE, Burst, Command, Originate
from controlplane.calls.events import Entry
from controlplane.calls.machine import CallMachine
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Scenario, Wait
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryJournal

from .platform import APP, platform
from .test_driving import place

COMMIT_MS = 700


@dataclass
class Slow(MemoryJournal):
    """A journal whose entries are safe after a while, each; says when the first of a kind of command may be done."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    saved_ms: list[tuple[int, Command]] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        written = super().submit(machine, entry, commands, is_urgent=is_urgent)
        if written.exception() is not None:
            return written
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at_ms = self.clock.monotonic_ms() + COMMIT_MS
        self.clock.call_at_ms(at_ms, partial(safe.set_result, None))
        self.saved_ms += [(at_ms, command) for command in commands if not isinstance(command, REPEATABLE)]
        return safe

    def safe_from_ms(self, kind: type[Command]) -> list[int]:
        return [at_ms for at_ms, command in self.saved_ms if isinstance(command, kind)]


def _began_ms(log: PartyLog, sound: str) -> int:
    return next(one.from_ms for one in log.heard if sound in one.what)


async def test_nothing_is_played_and_nobody_dialled_before_it_is_on_record(tmp_path: Path) -> None:
    journal = Slow()
    pages = {"/": "<Gather numDigits='1' timeout='1'><Say>one</Say></Gather><Dial>+15550003333</Dial>"}
    async with platform(tmp_path, pages, journal=journal, clock=journal.clock) as here:
        caller = await here.call(Wait(8), HangUp(), _15550003333=CalleePlan(1, after_answer=(ExpectEnd(),)))
        callee = next(log for log in here.logs if log.party == "+15550003333")
        invited_ms = next(note.at_ms for note in callee.notes)
        says, dials = journal.safe_from_ms(Burst)[:2]
        assert (0 <= _began_ms(caller, "one") - says < 100, 0 <= invited_ms - dials < 100) == (True, True)


async def test_a_call_that_the_api_asked_for_is_not_dialled_before_it_is_on_record(tmp_path: Path) -> None:
    journal = Slow()
    async with platform(tmp_path, {"/": "<Say>one</Say>"}, journal=journal, clock=journal.clock) as here:
        place(here, Link(f"{APP}/"))
        cast = Cast(
            here.node, Scenario(callees={"+15550003333": CalleePlan(1, after_answer=(Hear("one"), ExpectEnd()))})
        )
        here.node.far_ends = cast.take_invite
        await here.clock.sleep(10)
        [callee] = cast.logs
        [dials] = journal.safe_from_ms(Originate)
        assert callee.problems == []
        assert 0 <= next(note.at_ms for note in callee.notes) - dials < 100
