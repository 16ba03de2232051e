"""A call server dies with entries on the disk: whoever takes its calls over writes them first, and that takes long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId
from controlplane.callserver.ports import Stored
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.scenarios import ExpectEnd, Hear, Press, Wait
from controlplane.wiring.memory import MemoryJournal

from .peers import Session
from .platform import NODE, kill
from .test_outage import Pair, pair

SPOOL_S = 20.02  # ends between two looks of whoever holds shards


@dataclass
class Inherited(MemoryJournal):
    """A journal that cannot be read before what a dead process left is written."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    left_s: float = 0.0
    is_being_written: bool = False

    async def settle(self) -> None:
        if self.left_s:
            self.is_being_written = True
            await self.clock.sleep(self.left_s)
            self.is_being_written, self.left_s = False, 0.0

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        if self.left_s:
            raise Unavailable(None)
        return await super().live_calls(node, shards, but)


def lose(both: Pair, journal: Inherited, name: str) -> None:
    (dead,) = [server for server in both.here.servers if server.id == name]
    journal.left_s = SPOOL_S
    both.here.servers.remove(dead)
    kill(dead)
    both.locks.end(name)


async def test_calls_of_whoever_takes_over_notice_nothing_of_that(tmp_path: Path) -> None:
    """A review found it: a key that was pressed waited for as long as the dead one's disk was written."""
    journal = Inherited()
    async with pair(tmp_path, journal) as both:
        journal.clock = both.here.clock

        def lose_the_other() -> None:
            (other,) = [server.id for server in both.here.servers if not server.count_calls()]
            lose(both, journal, other)

        both.here.clock.call_at_ms(both.here.clock.monotonic_ms() + 1000, lose_the_other)
        log = await both.here.call(Wait(2), Press("7"), Hear("picked", 1), ExpectEnd())
        assert log.problems == []
        assert journal.is_being_written
        await both.here.until(lambda: len(both.driven()[0]) == 16)


async def test_shards_that_are_given_back_meanwhile_are_not_driven(tmp_path: Path) -> None:
    journal = Inherited()
    async with pair(tmp_path, journal) as both:
        journal.clock = both.here.clock
        lose(both, journal, "two")
        await both.here.until(lambda: len(both.one.owned) == 16)
        third = Session("three", both.locks)
        await third.open()
        await both.here.until(lambda: len(both.one.owned) == 8)
        await third.try_take(NODE, range(16))
        assert journal.is_being_written
        await both.here.until(lambda: not journal.is_being_written)
        for _ in range(500):
            assert {(NODE, shard) for shard in both.driven()[0]} <= both.one.owned
            await both.here.clock.sleep(0.01)
        assert len(both.driven()[0]) == 8
