"""The database is away from one call server alone, and others take what it had."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry
from controlplane.calls.machine import CallMachine
from controlplane.callserver.ports import Stored
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.scenarios import CalleePlan, HangUp, Hear, Press, Wait
from controlplane.switch.marks import followed, mark_shards
from controlplane.wiring.memory import MemoryJournal

from .peers import Locks, Session
from .platform import NODE, Platform, platform

PAGES = {
    "/": "<Gather numDigits='1' timeout='20' action='/picked'><Say>Menu</Say></Gather>",
    "/picked": "<Say>Picked</Say><Dial>+15550003333</Dial>",
}
CALLEE = CalleePlan(after_answer=(Wait(2), HangUp()))


@dataclass
class OwnDisk(MemoryJournal):
    """One server's way to the record: the others' until it is cut, then a disk that only this server reads."""

    shared: MemoryJournal = field(default_factory=MemoryJournal)
    is_cut: bool = False

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if not self.is_cut:
            return self.shared.submit(machine, entry, commands, is_urgent=is_urgent)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    @property
    def is_settled(self) -> bool:
        return not self.is_cut

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        self._reach()
        return await self.shared.live_calls(node, shards, but)

    def _reach(self) -> None:
        if self.is_cut:
            raise Unavailable(None)


@dataclass(slots=True)
class Pair:
    """Two servers with half of the shards each, and a way to cut either off from the database."""

    here: Platform
    sessions: list[Session]
    disks: list[OwnDisk]

    def cut(self, index: int) -> None:
        self.disks[index].is_cut = True
        self.sessions[index].cut_off()

    def cut_whoever_has_the_call(self) -> None:
        (index,) = [index for index, server in enumerate(self.here.servers) if server.count_calls()]
        self.cut(index)

    def driven(self) -> list[int]:
        return [len(server.keepers[NODE].shards) for server in self.here.servers]


@asynccontextmanager
async def pair(folder: Path) -> AsyncIterator[Pair]:
    async with platform(folder, PAGES) as here:
        await here.servers.pop().stop()
        shared, both = here.journal, Pair(here, [], [])
        locks = Locks()
        for name in ("one", "two"):
            both.disks.append(OwnDisk(shared=shared))
            both.sessions.append(Session(name, locks))
            here.journal = both.disks[-1]
            await here.start_server(name, session=both.sessions[-1], network=MemoryNetwork(here.node))
        here.journal = shared
        await here.until(lambda: both.driven() == [8, 8])
        yield both


async def test_a_call_whose_server_is_cut_off_is_driven_by_one_server_only(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        here = both.here
        here.clock.call_at_ms(here.clock.monotonic_ms() + 1000, both.cut_whoever_has_the_call)
        log = await here.call(Hear("*Menu*"), Wait(9), Press("7"), Hear("*Picked*"), Wait(9), _15550003333=CALLEE)
        assert log.problems == []
        assert [path for path, _ in here.pages.asked] == ["/", "/picked"]
        assert sum("Picked" in heard.what for heard in log.heard) == 1
        assert len(here.logs) == 2


async def test_nobody_takes_a_call_up_before_whoever_is_cut_off_has_left_it(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        here = both.here
        calling = asyncio.ensure_future(here.call(Hear("*Menu*"), Wait(3), HangUp()))
        await here.until(lambda: any(server.count_calls() for server in here.servers))
        both.cut_whoever_has_the_call()
        driving = set()
        while not calling.done():
            driving.add(tuple(server.count_calls() for server in here.servers))
            await here.clock.sleep(0.001)
        assert driving == {(1, 0), (0, 0), (0, 1)}


async def test_new_calls_are_answered_once_while_a_server_is_cut_off(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.cut(0)
        await both.here.clock.sleep(2)
        assert both.driven() == [0, 16]
        for _ in range(4):
            both.here.pages.asked.clear()
            log = await both.here.call(Hear("*Menu*"), Press("7"), Hear("*Picked*"), Wait(9), _15550003333=CALLEE)
            assert log.problems == []
            assert [path for path, _ in both.here.pages.asked] == ["/", "/picked"]


async def test_a_server_that_is_cut_off_alone_takes_its_shards_when_it_is_back(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        both.cut(0)
        await both.here.until(lambda: both.driven() == [0, 16])
        both.disks[0].is_cut = both.sessions[0].is_away = False
        await both.here.until(lambda: both.driven() == [8, 8])


async def test_what_was_taken_anew_while_the_node_was_asked_is_not_anothers(tmp_path: Path) -> None:
    async with platform(tmp_path, PAGES) as here:
        node = here.servers[0].keepers[NODE].node
        mark_shards(node, frozenset({1, 2}), 5)
        assert await followed(node, frozenset({1, 2}), lambda: 4) == {1, 2}
        terms = iter((4, 5, 5))  # ours grows as the answers are under way, and it was we who marked them
        assert await followed(node, frozenset({1, 2}), lambda: next(terms)) == frozenset()
        assert await followed(node, frozenset({1, 3}), lambda: 4) == {1}
