"""Taking many calls over, and what keeps a node's news from piling up meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from controlplane.base.ids import CallId, LegId
from controlplane.callserver import keeper as keepers
from controlplane.callserver.ports import Stored
from controlplane.callserver.server import CallServer
from controlplane.callserver.turns import AT_ONCE
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CallerPlan, HangUp, Scenario, Wait
from controlplane.switch.translation import Parked
from controlplane.wiring.memory import MemoryJournal

from .platform import NODE, Platform, platform
from .test_driving import replace

MANY = 60
PAGES = {"/": "<Gather timeout='60' action='/again' actionOnEmptyResult='true'/>", "/again": "<Hangup/>"}


@dataclass
class Watching(MemoryJournal):
    """A journal that notes, from when it was read on, how many calls are driven each time others have their turn."""

    driven: list[int] = field(default_factory=list)
    here: Platform | None = None
    watching: asyncio.Task[None] | None = None

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        if self.here is not None and self.watching is None and shards:
            self.watching = asyncio.get_running_loop().create_task(self._watch(self.here.servers[-1]))
        return await super().live_calls(node, shards, but)

    async def _watch(self, server: CallServer) -> None:
        while server.count_calls() < MANY:
            self.driven.append(server.count_calls())
            await asyncio.sleep(0)


async def test_whatever_else_there_is_to_do_has_its_turn_while_calls_are_taken_over(tmp_path: Path) -> None:
    """In one piece it would take so long that the server took itself for one that slept, and began again."""
    journal = Watching()
    async with platform(tmp_path, PAGES, journal=journal) as here:
        callers = tuple(CallerPlan(f"+15550{n:06}", "+15550002222", (Wait(30), HangUp())) for n in range(MANY))
        performing = asyncio.get_running_loop().create_task(Cast(here.node, Scenario(callers)).perform())
        await here.clock.sleep(2)
        journal.here = here
        await replace(here, here.servers[0])
        assert here.servers[0].count_calls() == MANY
        assert max(after - before for before, after in pairwise(journal.driven)) <= AT_ONCE
        await performing
        await here.clock.sleep(1)
        assert here.journal.all_are_over()


async def test_a_link_is_closed_when_too_much_of_its_news_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keepers, "MOST_LATE_NEWS", 5)
    async with platform(tmp_path, PAGES) as here:
        keeper = here.servers[0].keepers[NODE]
        keeper.lost()  # as while resynchronising: news waits
        for number in range(6):
            assert keeper.node.is_up
            keeper.on_news(Parked(LegId(f"00000000-0000-4000-8000-00000000000{number}")))
        assert not keeper.node.is_up
        await here.until(lambda: keeper.node.is_up and here.servers[0].is_driving)
