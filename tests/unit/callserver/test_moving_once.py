"""What becomes known of a call before it is on its next node leads on from there: nothing is said twice."""

from __future__ import annotations

from pathlib import Path

from controlplane.calls.events import HangUpAsked, LegEnded, Moved
from controlplane.callserver.losses import Core
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.scenarios import CalleePlan, HangUp, Hear, Step, Wait

from .cluster import Cluster, cluster

SCREENED = "<Dial><Number url='/screen'>+15550003333</Number></Dial>"


def count_heard(log: PartyLog, name: str) -> int:
    return sum(name in one.what for one in log.heard)


async def screening(here: Cluster, *script: Step, **callees: CalleePlan) -> PartyLog:
    """A caller whose callee rings as their node dies; the next node's parties are the same."""
    log = here.call("n1", *script, _15550003333=CalleePlan(ring_s=30), **callees)
    here.nodes["n2"].far_ends = here.nodes["n1"].far_ends
    await here.until(lambda: any(leg.is_ringing for leg in here.nodes["n1"].channels.values() if not leg.is_inbound))
    here.nodes["n1"].die()
    return log


async def test_what_follows_a_leg_that_was_lost_is_said_once(tmp_path: Path) -> None:
    pages = {"/": f"{SCREENED}<Say>Nobody</Say><Record playBeep='false' timeout='3'/>", "/screen": "<Say>x</Say>"}
    async with cluster(tmp_path, pages) as here:
        log = await screening(here, Hear("*Nobody*"), Wait(6), HangUp())
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert count_heard(log, "Nobody") == 1
        (call,) = here.journal.entries
        assert len([line for line in here.timeline(call) if line.startswith("platform keeps recording")]) == 1


async def test_who_is_dialled_next_is_dialled(tmp_path: Path) -> None:
    pages = {
        "/": f"{SCREENED}<Dial action='/after'>+15550004444</Dial>",
        "/screen": "<Say>x</Say>",
        "/after": "<Say>End</Say>",
    }
    async with cluster(tmp_path, pages) as here:
        plan = CalleePlan(ring_s=3, after_answer=(Wait(5), HangUp()))
        log = await screening(here, Hear("*End*"), Wait(2), _15550004444=plan)
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert here.pages.asked[-1][1]["DialCallStatus"] == "completed"


async def test_a_callee_who_did_not_come_along_is_told_as_gone_once_the_call_is_there(tmp_path: Path) -> None:
    pages = {"/": f"{SCREENED}<Gather><Say>Rate</Say></Gather><Say>Bye</Say>", "/screen": ""}
    async with cluster(tmp_path, pages) as here:
        log = here.call("n1", Wait(30), HangUp(), _15550003333=CalleePlan(ring_s=1, after_answer=(Wait(60), HangUp())))
        await here.until(lambda: any(leg.partner for leg in here.nodes["n1"].channels.values()))

        async def lose(at: str, _lost: Core) -> None:
            left = here.nodes["n2"].left
            if at == "dropped" and left is not None:
                for leg in [leg for leg, row in left.items() if not row.channel.is_inbound]:
                    del left[leg]

        here.tables.at = lose
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert (count_heard(log, "Rate"), count_heard(log, "Bye")) == (1, 1)
        (call,) = here.journal.entries
        kinds = [type(entry.event) for entry in here.journal.entries[call]]
        assert kinds.index(Moved) < kinds.index(LegEnded)


async def test_who_is_to_be_hung_up_on_before_the_leg_is_there_is_so_when_it_is(tmp_path: Path) -> None:
    async with cluster(tmp_path, {"/": "<Gather timeout='60'><Say>Press</Say></Gather>"}) as here:
        here.call("n1", Wait(50), HangUp())
        await here.clock.sleep(3)

        async def ask(at: str, _lost: Core) -> None:
            if at == "dropped":
                calls = here.servers["first"].keepers["n2"].calls
                await here.until(lambda: bool(calls))
                for call in {id(one): one for one in calls.values()}.values():
                    call.feed(HangUpAsked("req"))

        here.tables.at = ask
        here.nodes["n1"].die()
        await here.until(lambda: bool(here.verdicts), within_s=10)
        assert here.verdicts == ["completed (normal-clearing)"]
        (call,) = here.journal.entries
        kinds = [type(entry.event) for entry in here.journal.entries[call]]
        assert kinds[-3:] == [Moved, HangUpAsked, LegEnded]
