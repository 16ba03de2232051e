"""A call server that was stopped, and wakes when another may have its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from controlplane.base.ids import LegId
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry, Redirected, Resumed
from controlplane.calls.machine import CallMachine
from controlplane.callserver.ports import Request
from controlplane.callserver.server import CallServer
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Press, Then, Wait
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryJournal

from .peers import Locks, Session, Sleeper
from .platform import APP, NODE, Platform, platform


@dataclass
class Slow(MemoryJournal):
    """A journal whose word that an entry is safe may be under way for a while."""

    is_slow: bool = False
    under_way: list[asyncio.Future[None]] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        done = super().submit(machine, entry, commands, is_urgent=is_urgent)
        if not self.is_slow or done.exception() is not None:
            return done
        self.under_way.append(asyncio.get_running_loop().create_future())
        return self.under_way[-1]

    def arrive(self) -> None:
        for done in self.under_way:
            done.set_result(None)


@dataclass(slots=True)
class Night:
    """A platform whose only server can be stopped, and what happens to it meanwhile."""

    here: Platform
    sleeper: Sleeper
    session: Session
    begin_ms: int

    def at(self, seconds: float, *what: object) -> None:
        """Have these called, some seconds into the first call."""
        for one in what:
            assert callable(one)
            self.here.clock.call_at_ms(self.begin_ms + round(seconds * 1000), one)

    def take_over(self) -> None:
        """Another server ends the session of the one that sleeps, and has its calls."""
        self.session.locks.end("sleeper")
        other = Session("second", self.session.locks)
        asyncio.get_running_loop().create_task(self.here.start_server("second", session=other))

    @property
    def sleeping(self) -> CallServer:
        return self.here.servers[0]


@asynccontextmanager
async def night(
    folder: Path, pages: Mapping[str, str | int], journal: MemoryJournal | None = None
) -> AsyncIterator[Night]:
    async with platform(folder, pages, journal=journal) as here:
        await here.servers.pop().stop()
        sleeper = Sleeper(here.clock, MemoryNetwork(here.node))
        session = Session("sleeper", Locks())
        await here.start_server("sleeper", sleeper=sleeper, session=session)
        yield Night(here, sleeper, session, here.clock.monotonic_ms())


def played(log: PartyLog) -> list[tuple[str, int]]:
    """The files that a party heard, and for how long (ms), each with its repeats."""
    files = groupby(log.heard, lambda one: one.what.rpartition("/")[2])
    lengths = [(name, sum(one.to_ms - one.from_ms for one in repeats)) for name, repeats in files]
    return [(name, length_ms) for name, length_ms in lengths if name.endswith(".wav")]


SCREENED = {
    "/": "<Dial><Number url='/screen'>+15550003333</Number></Dial><Play>/on.wav</Play><Play loop='9'>/and.wav</Play>",
    "/screen": "<Play loop='20'>/shall-you.wav</Play>",
}
LEAVES = CalleePlan(1, Then.ANSWER, (Wait(4), HangUp()))


async def test_old_news_of_a_call_that_another_server_has_breaks_nothing_off(tmp_path: Path) -> None:
    async with night(tmp_path, SCREENED) as during:
        during.at(3, during.sleeper.stop)
        during.at(8, during.take_over)
        during.at(12, during.sleeper.wake)
        log = await during.here.call(Wait(16), ExpectEnd(), _15550003333=LEAVES)
        assert played(log) == [("on.wav", 1000), ("and.wav", 9000)]


async def test_old_news_is_acted_upon_when_the_shards_are_still_ours(tmp_path: Path) -> None:
    async with night(tmp_path, SCREENED) as during:
        during.at(3, during.sleeper.stop)
        during.at(8, during.sleeper.wake)
        log = await during.here.call(ExpectEnd(), _15550003333=LEAVES)
        assert log.problems == []
        assert played(log) == [("on.wav", 1000), ("and.wav", 9000)]
        assert during.session.confirmed == 1
        (entries,) = during.here.journal.entries.values()
        assert [entry for entry in entries if isinstance(entry.event, Resumed)] == []


async def test_an_answer_that_came_while_we_slept_is_not_acted_upon_before_we_looked(tmp_path: Path) -> None:
    """The API's requests were being read; another server carried this one out long ago, and went on."""
    pages = {"/": "<Play loop='0'>/music.wav</Play>", "/next": "<Play loop='9'>/next.wav</Play>"}
    async with night(tmp_path, pages) as during:
        here = during.here
        request: list[Request] = []

        def ask() -> None:
            (call,) = here.journal.entries
            request.append(Request(call, Redirected("req_1", Link(f"{APP}/next"))))
            here.inbox.asked.extend(request)

        def answered() -> None:
            (leg,) = (LegId(leg) for leg in here.node.channels)
            found = during.sleeping.keepers[NODE].find(leg)
            assert found is not None
            found.feed(request[0].event)
            during.sleeper.wake()

        during.at(3, during.sleeper.stop)
        during.at(8, during.take_over)
        during.at(8.5, ask)
        during.at(14, answered)
        log = await here.call(ExpectEnd())
        assert [sound for sound in played(log) if sound[0] == "next.wav"] == [("next.wav", 9000)]


async def test_what_waited_for_the_journal_is_not_sent_when_another_server_sent_it(tmp_path: Path) -> None:
    pages = {
        "/": "<Gather numDigits='1' action='/picked'/>",
        "/picked": "<Play>/one.wav</Play><Redirect>/on</Redirect>",
    }
    pages["/on"] = "<Gather timeout='9'/>"
    journal = Slow()
    async with night(tmp_path, pages, journal) as during:

        def stop() -> None:
            during.sleeper.stop()
            journal.is_slow = False

        def wake() -> None:
            journal.arrive()
            during.sleeper.wake()

        during.at(1, lambda: setattr(journal, "is_slow", True))
        during.at(3, stop)
        during.at(8, during.take_over)
        during.at(12, wake)
        log = await during.here.call(Wait(2), Press("7"), Hear("one"), ExpectEnd())
        assert [name for name, _ in played(log)].count("one.wav") == 1


async def test_a_server_that_slept_and_finds_no_database_goes_on_with_what_nobody_took(tmp_path: Path) -> None:
    async with night(tmp_path, {"/": "<Play loop='30'>/music.wav</Play>"}) as during:
        during.at(3, during.sleeper.stop)
        during.at(7, during.session.cut_off, during.sleeper.wake)
        counts: list[int] = []
        during.at(8, lambda: counts.append(during.sleeping.count_calls()))
        during.at(9, lambda: setattr(during.session, "is_away", False))
        during.at(12, lambda: counts.append(during.sleeping.count_calls()))
        log = await during.here.call(Hear("music"), ExpectEnd())
        assert log.problems == []
        assert counts == [1, 1]
        assert during.here.timeline[-1] == "platform the call is over: completed (normal-clearing)"


async def test_a_server_that_slept_and_finds_no_database_leaves_what_others_took(tmp_path: Path) -> None:
    async with night(tmp_path, {"/": "<Play loop='30'>/music.wav</Play>"}) as during:
        during.at(3, during.sleeper.stop)
        during.at(4, during.take_over)
        during.at(7, during.session.cut_off, during.sleeper.wake)
        counts: list[list[int]] = []
        during.at(8, lambda: counts.append([server.count_calls() for server in during.here.servers]))
        log = await during.here.call(Hear("music"), ExpectEnd())
        assert log.problems == []
        assert counts == [[0, 1]]
        assert during.here.timeline[-1] == "platform the call is over: completed (normal-clearing)"
