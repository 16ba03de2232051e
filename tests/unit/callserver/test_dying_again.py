"""A media node that dies again soon after it was restarted."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.calls.events import Moved
from controlplane.callserver.losses import Core
from controlplane.emulator.scenarios import HangUp, Wait

from .cluster import cluster

WAITING = {"/": "<Gather timeout='500'><Say>Press</Say></Gather>"}


@pytest.mark.parametrize("servers", [("first",), ("first", "second")])
async def test_its_calls_are_adopted_each_time(tmp_path: Path, servers: tuple[str, ...]) -> None:
    async with cluster(tmp_path, WAITING, servers=servers) as here:
        here.call("n1", Wait(60), HangUp())
        await here.clock.sleep(3)
        here.nodes["n1"].die()
        await here.until(lambda: len(here.events(Moved)) == 1)
        await here.clock.sleep(3)
        here.nodes["n1"].restart()
        await here.until(lambda: all(one.keepers["n1"].is_serving for one in here.servers.values()))
        for _ in range(5):
            here.call("n1", Wait(60), HangUp())
        await here.clock.sleep(10)

        async def take_time(_step: str, _lost: Core) -> None:
            await here.clock.sleep(0.05)

        here.tables.at = take_time
        here.nodes["n1"].die()
        await here.until(lambda: len(here.verdicts) == 6, within_s=90)
        assert len(here.events(Moved)) == 6
        assert here.verdicts == ["completed (normal-clearing)"] * 6
