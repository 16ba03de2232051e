"""The database is away and comes back: whose calls these are is what it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.callserver.balancing import RETURN_S
from controlplane.callserver.server import CallServer
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.scenarios import ExpectEnd, Hear, Press, Wait
from controlplane.wiring.memory import MemoryJournal

from .peers import Locks, Session
from .platform import NODE, Platform, platform


@dataclass(slots=True)
class Pair:
    """Two servers with half of the shards each."""

    here: Platform
    one: Session
    two: Session

    @property
    def first(self) -> CallServer:
        return self.here.servers[0]

    @property
    def locks(self) -> Locks:
        return self.one.locks

    def database_goes(self) -> None:
        self.one.cut_off()
        self.two.cut_off()

    def driven(self) -> list[frozenset[int]]:
        return [server.keepers[NODE].shards for server in self.here.servers]


async def start(here: Platform, name: str, locks: Locks) -> Session:
    session = Session(name, locks)
    await here.start_server(name, session=session, network=MemoryNetwork(here.node))
    return session


@asynccontextmanager
async def pair(folder: Path, journal: MemoryJournal | None = None) -> AsyncIterator[Pair]:
    pages = {"/": "<Gather numDigits='1' action='/picked'/>", "/picked": "<Say>picked</Say>"}
    async with platform(folder, pages, journal=journal) as here:
        await here.servers.pop().stop()
        locks = Locks()
        both = Pair(here, await start(here, "one", locks), await start(here, "two", locks))
        await here.until(lambda: [len(shards) for shards in both.driven()] == [8, 8])
        yield both


async def test_whoever_comes_back_first_leaves_the_others_theirs(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        before = both.driven()
        both.database_goes()
        await both.here.clock.sleep(60)
        both.one.is_away = False
        await both.here.clock.sleep(RETURN_S - 1)
        assert both.driven() == before
        assert both.one.owned == {(NODE, shard) for shard in before[0]}
        both.two.is_away = False
        await both.here.clock.sleep(60)
        assert both.driven() == before
        assert both.two.owned == {(NODE, shard) for shard in before[1]}


async def test_who_does_not_come_back_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.database_goes()
        await both.here.clock.sleep(10)
        both.one.is_away = False
        await both.here.clock.sleep(RETURN_S + 2)
        assert len(both.one.owned) == 16


async def test_a_new_server_takes_nothing_of_those_who_may_be_about_to_come_back(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        before = both.driven()
        both.database_goes()
        both.locks.missing = frozenset({"one", "two"})
        newcomer = Session("newcomer", both.locks)
        starting = asyncio.create_task(
            both.here.start_server("newcomer", session=newcomer, network=MemoryNetwork(both.here.node))
        )
        await both.here.clock.sleep(RETURN_S - 1)
        assert newcomer.owned == frozenset()
        both.one.is_away = both.two.is_away = False
        await both.here.until(lambda: len(both.one.owned) == len(both.two.owned) == 8)
        assert both.driven()[:2] == before
        await starting
        await both.here.until(lambda: sorted(map(len, both.driven())) == [5, 5, 6])


async def test_a_call_goes_on_while_the_database_is_away_and_when_it_is_back(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        begin_ms = both.here.clock.monotonic_ms()
        both.here.clock.call_at_ms(begin_ms + 1000, both.database_goes)
        both.here.clock.call_at_ms(begin_ms + 2500, lambda: setattr(both.one, "is_away", False))
        both.here.clock.call_at_ms(begin_ms + 3500, lambda: setattr(both.two, "is_away", False))
        log = await both.here.call(Wait(2), Press("7"), Hear("picked", 1), ExpectEnd())
        assert log.problems == []
        assert not any("drives the call" in line for line in both.here.timeline)


@dataclass
class Spooling(MemoryJournal):
    """A journal of which something is on a disk that others cannot read."""

    is_spooled: bool = False

    @property
    def is_settled(self) -> bool:
        return not self.is_spooled


async def test_nothing_is_given_back_before_what_is_on_our_disk_can_be_read(tmp_path: Path) -> None:
    journal = Spooling()
    async with pair(tmp_path, journal) as both:
        journal.is_spooled = True
        await both.two.close()
        await both.here.servers.pop().stop()
        await both.here.until(lambda: len(both.one.owned) == 16)
        other = Session("other", both.locks)
        starting = asyncio.create_task(
            both.here.start_server("other", session=other, network=MemoryNetwork(both.here.node))
        )
        await both.here.clock.sleep(10)
        assert other.owned == frozenset()
        journal.is_spooled = False
        await starting
        assert len(other.owned) == 8


@dataclass(slots=True)
class Fickle(Session):
    """A session that may end just after it took something."""

    ends_next: bool = False

    async def try_take(self, node: str, shards: Sequence[int]) -> frozenset[int]:
        taken = await Session.try_take(self, node, shards)
        if self.ends_next:
            self.ends_next = False
            asyncio.get_running_loop().call_soon(self.end)
        return taken


async def test_a_session_that_ends_again_while_we_let_go_of_what_is_gone_is_begun_again(tmp_path: Path) -> None:
    async with platform(tmp_path, {}) as here:
        await here.servers.pop().stop()
        session = Fickle("one", Locks())
        server = await here.start_server("one", session=session)
        await here.until(lambda: len(server.keepers[NODE].shards) == 16)
        session.end()
        session.locks.holders[NODE, 0] = "two"
        session.ends_next = True
        await here.clock.sleep(20)
        assert session.owned == {(NODE, shard) for shard in range(1, 16)}


async def test_sessions_that_end_again_and_again_cost_nobody_what_is_theirs(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        before = both.driven()
        for number in range(60):
            both.database_goes()
            await both.here.clock.sleep(0.6)
            both.one.is_away = both.two.is_away = False
            for _ in range(number):
                await asyncio.sleep(0)
            await both.here.clock.sleep(0.45 + number / 1000)
            assert both.driven() == before


async def test_links_that_break_while_the_database_is_away_cost_nobody_what_is_theirs(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        before = both.driven()
        both.database_goes()
        await both.here.clock.sleep(2)
        for server in both.here.servers:
            server.keepers[NODE].node.abort("cut")
            await both.here.clock.sleep(0.05)
        assert both.driven() == before
        await both.here.until(lambda: all(server.keepers[NODE].is_serving for server in both.here.servers))
        assert both.driven() == before
