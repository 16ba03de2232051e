"""Two talk as their media node dies, and are joined again on the next one."""

from __future__ import annotations

from pathlib import Path

from controlplane.calls.events import Moved
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.scenarios import CalleePlan, HangUp, Hear, Wait

from .cluster import Cluster, cluster

DIAL = {"/": "<Dial action='/after'>+15550003333</Dial>", "/after": "<Say>After</Say>"}


async def talking_on(here: Cluster) -> PartyLog:
    """A caller whose callee leaves eight seconds after they were joined, at the next node."""
    log = here.call("n1", Hear("*After*"), _15550003333=CalleePlan(ring_s=0.5, after_answer=(Wait(8), HangUp())))
    await here.until(lambda: any(leg.partner for leg in here.nodes["n1"].channels.values()))
    here.nodes["n1"].die()
    await here.until(lambda: bool(here.events(Moved)))
    await here.clock.sleep(1)
    return log


async def test_the_caller_stays_when_the_callee_leaves_while_nobody_listens(tmp_path: Path) -> None:
    async with cluster(tmp_path, DIAL) as here:
        log = await talking_on(here)
        here.kill_server("first")
        await here.clock.sleep(10)
        assert [(leg.is_inbound, leg.is_parked) for leg in here.nodes["n2"].channels.values()] == [(True, True)]
        await here.start_server("second", databases=here.tables)
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert here.verdicts == ["completed (normal-clearing)"]


async def test_whoever_takes_over_before_the_caller_was_told_to_stay_tells_it(tmp_path: Path) -> None:
    async with cluster(tmp_path, DIAL) as here:
        log = await talking_on(here)
        caller = next(leg for leg in here.nodes["n2"].channels.values() if leg.is_inbound)
        caller.variables.set("park_after_bridge", None)  # as if the link had been lost with it
        here.kill_server("first")
        await here.start_server("second", databases=here.tables)
        await here.clock.sleep(1)
        here.kill_server("second")
        await here.clock.sleep(10)
        await here.start_server("third", databases=here.tables)
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
