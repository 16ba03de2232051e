"""Calls that one server gives and another takes, while the last of their entries is on its way into the journal."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from controlplane.base.errors import Conflict
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry, Event, LegEnded
from controlplane.calls.machine import CallMachine
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Press, Wait
from controlplane.wiring.memory import MemoryJournal

from .platform import platform
from .test_driving import replace


@dataclass
class Late(MemoryJournal):
    """A journal that takes its time to have what it was given; after a conflict it takes nothing more of a call."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    delay_ms: int = 0
    lost: list[CallMachine] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        put = partial(super().submit, machine, entry, commands, is_urgent=is_urgent)

        def settle() -> None:
            problem = Conflict(None) if machine in self.lost else put().exception()
            if problem is None:
                done.set_result(None)
                return
            self.lost.append(machine)
            done.set_exception(problem)

        self.clock.call_at_ms(self.clock.monotonic_ms() + self.delay_ms, settle)
        return done


PAGES = {"/": "<Gather numDigits='1' action='/picked'/>", "/picked": "<Say>picked</Say><Gather timeout='20'/>"}


async def test_a_call_is_given_with_all_its_entries(tmp_path: Path) -> None:
    clock = VirtualClock()
    journal = Late(clock=clock)
    async with platform(tmp_path, PAGES, journal=journal, clock=clock) as here:

        async def hand_over() -> None:
            journal.delay_ms = 200
            await here.clock.sleep(0.15)  # the key was pressed, and is not on record
            first = here.servers.pop()
            await first.stop()
            await here.start_server("second")

        def begin() -> None:
            tasks.append(asyncio.get_running_loop().create_task(hand_over()))

        tasks: list[asyncio.Task[None]] = []
        here.clock.call_at_ms(here.clock.monotonic_ms() + 2000, begin)
        log = await here.call(Wait(2), Press("7"), Hear("picked", 3), ExpectEnd())
        assert log.problems == []


async def test_a_call_that_its_last_owner_wrote_on_is_taken_up_again_at_once(tmp_path: Path) -> None:
    """A process that was killed may have had an entry on its way to the disk, which comes after ours was read."""
    clock = VirtualClock()
    journal = Late(clock=clock)
    async with platform(tmp_path, PAGES, journal=journal, clock=clock) as here:

        def kill() -> None:
            journal.delay_ms = 200
            tasks.append(asyncio.get_running_loop().create_task(replace(here, here.servers[0])))

        tasks: list[asyncio.Task[None]] = []
        here.clock.call_at_ms(here.clock.monotonic_ms() + 2100, lambda: setattr(journal, "delay_ms", 300))
        here.clock.call_at_ms(here.clock.monotonic_ms() + 2300, kill)
        log = await here.call(Wait(2), Press("7"), Hear("picked", 6), ExpectEnd())
        assert log.problems == []


@dataclass
class Cut(MemoryJournal):
    """A journal that has nothing of what comes after the end of a caller's leg: the process was killed by then."""

    is_cut: bool = True
    dropped: list[Event] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        entries = self.entries.get(machine.facts.call, [])
        if self.is_cut and any(isinstance(one.event, LegEnded) for one in entries):
            self.dropped.append(entry.event)
            return asyncio.get_running_loop().create_future()
        return super().submit(machine, entry, commands, is_urgent=is_urgent)


async def test_the_end_of_a_b_leg_is_told_though_the_call_had_its_verdict_and_its_server_died(tmp_path: Path) -> None:
    journal = Cut()
    pages = {"/": "<Dial>+15550003333</Dial>"}
    async with platform(tmp_path, pages, journal=journal) as here:
        await here.call(Wait(4), HangUp(), _15550003333=CalleePlan(ring_s=1, after_answer=(Wait(60),)))
        await here.clock.sleep(1)
        assert isinstance(journal.dropped[-1], LegEnded)
        journal.is_cut = False
        await replace(here, here.servers[0])
        await here.clock.sleep(3)
    [entries] = journal.entries.values()
    ended = [entry.event for entry in entries if isinstance(entry.event, LegEnded)]
    assert [event.cause for event in ended] == ["NORMAL_CLEARING", "LOST"]
    assert journal.all_are_over()
