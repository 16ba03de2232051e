"""Calls whose last entry this process still has in hand, and the ways past the look whether it has."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from controlplane.base.errors import Conflict, Unavailable
from controlplane.base.ids import CallId, leg_of_call, shard_of
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry, Resumed
from controlplane.calls.machine import CallMachine
from controlplane.callserver.inheriting import expect_moved
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.letting_go import Unsaved
from controlplane.callserver.ports import Stored
from controlplane.emulator.scenarios import HangUp, Wait
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryJournal

from .platform import APP, NODE, Pages, Platform, platform
from .test_driving import place
from .test_taken_twice import WAITING, Lagging, told

EVERYTHING = frozenset(range(16))


@dataclass
class Leisurely(Lagging):
    """A journal that takes its time to be read, too: what is answered is how it was when it was asked."""

    reading_ms: int = 0

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        stored = await super().live_calls(node, shards, but)
        if self.reading_ms:
            await self.clock.sleep(self.reading_ms / 1000)
        return stored


@dataclass
class Stuck(MemoryJournal):
    """A journal that can be read, and takes nothing more of some calls: neither database nor disk has room."""

    stuck: set[CallId] = field(default_factory=set)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if machine.facts.call not in self.stuck:
            return super().submit(machine, entry, commands, is_urgent=is_urgent)
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]


def keeper_of(here: Platform) -> Keeper:
    return here.servers[0].keepers[NODE]


async def test_legs_that_come_from_another_node_have_no_call_taken_up_before_its_end_is_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Another node died, and this one, which is busy, is to bring its legs up: `expect_moved` reads the journals."""
    caplog.set_level(logging.INFO)
    journal = Lagging()
    async with platform(tmp_path, WAITING, journal=journal, clock=journal.clock) as here:
        tasks: list[asyncio.Task[None]] = []
        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 1000, lambda: setattr(journal, "lag_ms", 300))
        here.clock.call_at_ms(
            begin + 2100, lambda: tasks.append(asyncio.get_running_loop().create_task(expect_moved(keeper_of(here))))
        )
        await here.call(Wait(2), HangUp())
        await here.clock.sleep(40)
        assert told(caplog) == ["call_taken", "call_finished"]


async def test_a_call_that_ends_while_the_journals_are_read_is_not_taken_up_from_what_was_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its end waited for what was held before it, so it was driven yet as the reading began, and is no more after."""
    caplog.set_level(logging.INFO)
    journal = Leisurely()
    pages = {"/": "<Redirect>/next</Redirect>", "/next": "<Say>end</Say>"}
    application = Pages(pages, thinking=asyncio.Event())
    async with platform(tmp_path, pages, journal=journal, clock=journal.clock, application=application) as here:
        assert application.thinking is not None
        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 1000, lambda: setattr(journal, "lag_ms", 150))
        here.clock.call_at_ms(begin + 1900, lambda: setattr(journal, "reading_ms", 300))
        here.clock.call_at_ms(begin + 1990, application.thinking.set)
        here.clock.call_at_ms(begin + 2050, here.network.sever_all)
        await here.call(Wait(2), HangUp())
        await here.clock.sleep(40)
        assert [path for path, _ in application.asked] == ["/", "/next"]
        assert told(caplog) == ["call_taken", "call_finished"]


@pytest.mark.parametrize("is_stuck", [False, True])
async def test_a_live_caller_is_not_hung_up_on_because_the_end_of_another_call_cannot_be_put_on_record(
    tmp_path: Path, is_stuck: bool
) -> None:
    """A stray is found, and nobody was helped: the journals were not read. Its leg is parked, and ended for that."""
    journal = Stuck()
    pages = {"/": "<Redirect>/next</Redirect>", "/next": "<Say>end</Say>"}
    application = Pages(pages, thinking=asyncio.Event())
    async with platform(tmp_path, pages, journal=journal, application=application) as here:
        other = asyncio.ensure_future(here.call(Wait(2), HangUp()))
        await here.clock.sleep(1)
        [ending] = journal.entries
        if is_stuck:
            journal.stuck.add(ending)
        await other
        keeper = keeper_of(here)
        assert keeper.calls == {}
        place(here, Link(f"{APP}/"))
        await here.until(lambda: len(application.asked) == 4)
        await here.clock.sleep(1)
        [call] = keeper.calls_of(EVERYTHING)
        call.drop()  # as when another process wrote in its journal
        await keeper.sweep()
        await keeper.sweep()
        await here.clock.sleep(1)
        assert list(here.node.channels) == [call.machine.facts.a_leg]


async def test_a_call_that_has_just_ended_is_given_with_all_its_entries(tmp_path: Path) -> None:
    """`Keeper.give`: "All that is on record of them is there then". Whoever has the shards next reads no end."""
    journal = Lagging()
    async with platform(tmp_path, WAITING, journal=journal, clock=journal.clock) as here:
        given: list[bool] = []

        async def give() -> None:
            await keeper_of(here).give(EVERYTHING)
            given.append(journal.all_are_over())

        tasks: list[asyncio.Task[None]] = []
        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 1000, lambda: setattr(journal, "lag_ms", 300))
        here.clock.call_at_ms(begin + 2100, lambda: tasks.append(asyncio.get_running_loop().create_task(give())))
        await here.call(Wait(2), HangUp())
        await here.clock.sleep(1)
        assert given == [True]


async def test_news_of_calls_that_are_driven_is_read_while_others_wait_for_the_record(tmp_path: Path) -> None:
    """A shard is taken whose last call has no end on record: all callers of the node wait for that, again and again."""
    journal = Stuck()
    async with platform(tmp_path, WAITING, journal=journal) as here:
        other = asyncio.ensure_future(here.call(Wait(2), HangUp()))
        await here.clock.sleep(1)
        keeper = keeper_of(here)
        [call] = keeper.calls_of(EVERYTHING)
        journal.stuck.add(call.id)
        await other
        await keeper.give(frozenset({call.shard}))
        taking = asyncio.ensure_future(keeper.take(frozenset({call.shard})))
        await asyncio.sleep(0.2)
        is_serving = keeper.is_serving
        await asyncio.gather(taking, return_exceptions=True)
        assert is_serving


async def test_shards_with_nothing_to_wait_for_are_driven_while_one_call_of_another_cannot_be_put_on_record(
    tmp_path: Path,
) -> None:
    """As after a sleep of a server that could not look at its locks: all is given, and taken again."""
    journal = Stuck()
    async with platform(tmp_path, WAITING, journal=journal) as here:
        other = asyncio.ensure_future(here.call(Wait(2), HangUp()))
        await here.clock.sleep(1)
        [ending] = journal.entries
        journal.stuck.add(ending)
        await other
        place(here, Link(f"{APP}/"))
        await here.clock.sleep(3)
        keeper = keeper_of(here)
        [call] = keeper.calls_of(EVERYTHING)
        assert call.shard != shard_of(leg_of_call(ending))
        await keeper.give(EVERYTHING)
        with suppress(Unavailable):
            await keeper.take(EVERYTHING)
        assert [one.id for one in keeper.calls_of(EVERYTHING)] == [call.id]


async def test_shards_that_went_while_the_record_was_waited_for_are_not_driven_again(tmp_path: Path) -> None:
    """Another server has them, and they were left at once (`quit`); what is under way for them goes on all the same."""
    journal = Stuck()
    async with platform(tmp_path, WAITING, journal=journal) as here:
        other = asyncio.ensure_future(here.call(Wait(2), HangUp()))
        await here.clock.sleep(1)
        [ending] = journal.entries
        journal.stuck.add(ending)
        await other
        place(here, Link(f"{APP}/"))
        await here.clock.sleep(3)
        keeper = keeper_of(here)
        [call] = keeper.calls_of(EVERYTHING)
        call.drop()
        looking = asyncio.ensure_future(keeper.resynchronise(EVERYTHING))
        for _ in range(100):
            await asyncio.sleep(0)
        keeper.quit(EVERYTHING)
        for waiting in journal.waiting:
            waiting.set_result(None)
        await looking
        assert (keeper.calls_of(EVERYTHING), keeper.read) == ([], frozenset())


async def test_what_is_on_its_way_of_a_call_counts_though_it_was_taken_up_anew_and_that_was_refused(
    tmp_path: Path,
) -> None:
    async with platform(tmp_path, WAITING) as here:
        calling = asyncio.ensure_future(here.call(Wait(2), HangUp()))
        await here.clock.sleep(1)
        [call] = keeper_of(here).calls_of(EVERYTHING)
        loop = asyncio.get_running_loop()
        first, second = replace(call, saved=loop.create_future()), replace(call, saved=loop.create_future())
        unsaved = Unsaved()
        unsaved.add(first)
        unsaved.add(second)
        assert second.saved is not None
        second.saved.set_exception(Conflict("as the test has it"))
        await asyncio.sleep(0)
        assert call.machine.facts.a_leg in unsaved
        await calling


@dataclass
class Refusing(Lagging):
    """A journal that never takes that a call is gone on with, and says so after a while."""

    refused_ms: list[int] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if not isinstance(entry.event, Resumed):
            return super().submit(machine, entry, commands, is_urgent=is_urgent)
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at_ms = self.clock.monotonic_ms() + self.lag_ms
        self.refused_ms.append(at_ms)
        self.clock.call_at_ms(at_ms, partial(refused.set_exception, Conflict("as the test has it")))
        return refused


@pytest.mark.parametrize("lag_ms", [10, 60, 400])
async def test_the_pauses_grow_however_long_it_takes_until_it_shows_that_it_was_in_vain(
    tmp_path: Path, lag_ms: int
) -> None:
    journal = Refusing(lag_ms=lag_ms)
    pages = {"/": "<Pause length='600'/>"}
    async with platform(tmp_path, pages, journal=journal, clock=journal.clock) as here:
        calling = asyncio.ensure_future(here.call(Wait(100), HangUp()))
        await here.clock.sleep(5)
        [call] = keeper_of(here).calls_of(EVERYTHING)
        call.drop()
        await here.clock.sleep(60)
        times = len(journal.refused_ms)
        await calling
        assert times <= 8  # 1, 2, 4 … seconds
