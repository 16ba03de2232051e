"""An app has no more calls at once than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from controlplane.base import ids
from controlplane.base.errors import Unavailable
from controlplane.callserver.crowd import Crowd
from controlplane.callserver.ports import Route
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CallerPlan, HangUp, Scenario, Wait
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryJournal, MemoryNumbers

from .platform import ACCOUNT, APP, platform

SUPPORT = ids.mint(ids.APP, 1, b"0123456789")
LIMITED = Route(ACCOUNT, SUPPORT, Link(f"{APP}/"), None, None, None, channel_limit=2)


@dataclass
class Elsewhere(MemoryJournal):
    """A database that knows of other servers' calls; None: it is away."""

    live: int | None = 0

    async def count_live(self, apps: Sequence[str]) -> Mapping[str, int]:
        if self.live is None:
            raise Unavailable(None)
        return dict.fromkeys(apps, self.live)


async def test_a_call_beyond_an_apps_limit_finds_it_busy(tmp_path: Path) -> None:
    numbers = MemoryNumbers(anything=LIMITED)
    async with platform(tmp_path, {"/": "<Gather timeout='60'/>"}, numbers=numbers) as here:
        times_s = [0, 1, 2, 8]
        callers = [CallerPlan(f"+1555000000{n}", "+15550002222", (Wait(5), HangUp()), at_s=n) for n in times_s]
        logs = await Cast(here.node, Scenario(tuple(callers))).perform()
        assert [log.cause for log in logs] == ["NORMAL_CLEARING", "NORMAL_CLEARING", "USER_BUSY", "NORMAL_CLEARING"]
        assert len(here.journal.entries) == 3


async def test_calls_of_other_servers_count_and_our_own_count_once() -> None:
    clock, archive = VirtualClock(), Elsewhere(live=3)
    crowd = Crowd(archive, clock, lambda app: 1 if app == SUPPORT else 0)
    keeping = asyncio.get_running_loop().create_task(crowd.keep())
    wide = replace(LIMITED, channel_limit=4)
    assert crowd.has_room(LIMITED)  # nobody had asked about this app yet

    await clock.sleep(1.5)
    assert (crowd.has_room(LIMITED), crowd.has_room(wide)) == (False, True)

    archive.live = None
    await clock.sleep(2)
    assert not crowd.has_room(LIMITED)  # what was read last holds while the database is away

    archive.live = 1
    await clock.sleep(2)
    assert crowd.has_room(LIMITED)
    assert crowd.has_room(replace(LIMITED, channel_limit=None))
    keeping.cancel()
