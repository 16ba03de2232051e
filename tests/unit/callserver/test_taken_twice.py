"""A call that the process which takes it up still has in hand: nobody drives it twice."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from controlplane.base.errors import Conflict
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry, Resumed
from controlplane.calls.machine import CallMachine
from controlplane.callserver.call import LiveCall
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.scenarios import ExpectEnd, HangUp, Hear, Wait
from controlplane.wiring.memory import MemoryJournal

from .platform import NODE, Platform, platform

WAITING = {"/": "<Pause length='60'/><Redirect>/next</Redirect>", "/next": "<Say>end</Say>"}


@dataclass
class Lagging(MemoryJournal):
    """A journal whose entries can be read, and are refused, a while after they came."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    lag_ms: int = 0

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if not self.lag_ms:
            return super().submit(machine, entry, commands, is_urgent=is_urgent)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        write = partial(MemoryJournal.submit, self, machine, entry, commands, is_urgent=is_urgent)

        def commit() -> None:
            error = write().exception()
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self.clock.call_at_ms(self.clock.monotonic_ms() + self.lag_ms, commit)
        return done


@dataclass
class Contested(MemoryJournal):
    """A journal in which others write, just as a call is gone on with, as often as this is set."""

    contests: int = 0

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if self.contests == 0 or not isinstance(entry.event, Resumed):
            return super().submit(machine, entry, commands, is_urgent=is_urgent)
        self.contests -= 1
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused.set_exception(Conflict("as the test has it"))
        return refused


def the_call(here: Platform) -> LiveCall:
    (call,) = here.servers[0].keepers[NODE].calls_of(frozenset(range(16)))
    return call


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.message for one in caplog.records if one.message in ("call_taken", "call_finished", "call_lost")]


async def test_a_call_that_ended_is_not_taken_up_before_its_end_is_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    journal = Lagging()
    async with platform(tmp_path, WAITING, journal=journal, clock=journal.clock) as here:

        def slow_down() -> None:
            journal.lag_ms = 700

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 1000, slow_down)
        here.clock.call_at_ms(begin + 2100, here.network.sever_all)
        await here.call(Wait(2), HangUp())
        await here.clock.sleep(40)
        assert told(caplog) == ["call_taken", "call_finished"]
        assert here.timeline[-1].startswith("platform the call is over")


async def test_what_was_seen_before_shards_were_somebody_elses_is_no_first_look(tmp_path: Path) -> None:
    async with platform(tmp_path, WAITING) as here:
        calling = asyncio.ensure_future(here.call(Hear("end", 100), ExpectEnd()))
        await here.clock.sleep(5)
        keeper, everything = here.servers[0].keepers[NODE], frozenset(range(16))
        the_call(here).drop()
        await keeper.sweep()
        await keeper.give(everything)
        await keeper.take(everything)
        the_call(here).drop()
        await keeper.sweep()
        assert here.servers[0].count_calls() == 0
        await keeper.sweep()
        assert here.servers[0].count_calls() == 1
        assert (await calling).problems == []


async def test_a_call_that_was_picked_up_in_vain_is_picked_up_again(tmp_path: Path) -> None:
    journal = Contested()
    async with platform(tmp_path, WAITING, journal=journal) as here:

        def lose() -> None:
            the_call(here).drop()
            journal.contests = 3

        here.clock.call_at_ms(here.clock.monotonic_ms() + 2000, lose)
        log = await here.call(Hear("end", 200), ExpectEnd())
        assert (log.problems, journal.contests) == ([], 0)
