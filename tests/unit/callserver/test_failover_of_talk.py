"""A media node dies under two who talk, or where one still rings: what both hear, and how the document goes on."""

from __future__ import annotations

from pathlib import Path

from controlplane.callserver.losses import Core
from controlplane.emulator.channel import Channel
from controlplane.emulator.scenarios import CalleePlan, HangUp, Hear, Wait

from .cluster import Cluster, cluster

CALLEE = "+15550003333"
DIAL = {"/": f"<Dial action='/after'>{CALLEE}</Dial>", "/after": "<Say>After</Say>"}


def callees(here: Cluster, node: str) -> list[Channel]:
    return [leg for leg in here.nodes[node].channels.values() if not leg.is_inbound]


async def test_two_who_talk_talk_on_and_the_caller_goes_on_when_the_callee_leaves(tmp_path: Path) -> None:
    async with cluster(tmp_path, DIAL) as here:
        log = here.call("n1", Hear("*After*"), _15550003333=CalleePlan(ring_s=0.5, after_answer=(Wait(5), HangUp())))
        await here.until(lambda: any(leg.partner for leg in callees(here, "n1")))
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert ("DialCallStatus", "completed") in here.pages.asked[-1][1].items()
        assert here.verdicts == ["completed (normal-clearing)"]


async def test_a_ringing_callee_is_lost_and_not_dialled_again(tmp_path: Path) -> None:
    async with cluster(tmp_path, {**DIAL, "/": "<Say>Wait</Say>" + DIAL["/"]}) as here:
        log = here.call("n1", Hear("*After*"), _15550003333=CalleePlan(ring_s=30))
        await here.until(lambda: any(leg.is_ringing for leg in callees(here, "n1")))
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert ("DialCallStatus", "failed") in here.pages.asked[-1][1].items()
        assert len(here.casts[0].logs) == 2


async def test_a_callee_who_leaves_before_anybody_could_say_anything_leaves_the_caller_to_the_document(
    tmp_path: Path,
) -> None:
    async with cluster(tmp_path, DIAL) as here:
        log = here.call("n1", Hear("*After*"), _15550003333=CalleePlan(ring_s=0.5, after_answer=(Wait(60), HangUp())))
        await here.until(lambda: any(leg.partner for leg in callees(here, "n1")))

        async def leave(at: str, _lost: Core) -> None:
            if at == "settling":
                for leg in callees(here, "n2"):
                    leg.hang_up("NORMAL_CLEARING")
                await here.clock.sleep(0.2)

        here.cores.at = leave
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert ("DialCallStatus", "completed") in here.pages.asked[-1][1].items()
        assert here.verdicts == ["completed (normal-clearing)"]
