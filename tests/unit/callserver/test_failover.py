"""A media node dies: what callers hear, and what is on record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controlplane.calls.events import CallOffered, Moved
from controlplane.callserver.adopting import GIVE_UP_S
from controlplane.callserver.building import LOST_AFTER_S
from controlplane.callserver.losses import Core
from controlplane.emulator.parties import PartyLog
from controlplane.emulator.scenarios import HangUp, Hear, Press, Wait

from .cluster import Cluster, cluster

HELLO = {"/": "<Say>Hello there</Say><Gather action='/pressed'><Say>Press</Say></Gather>", "/pressed": "<Say>Bye</Say>"}


async def until_heard(here: Cluster, log: PartyLog) -> None:
    """Wait until a party heard what it waits for, and the news of it were read."""
    await here.until(lambda: "heard" in log.words()[-1])
    await here.clock.sleep(0.1)


async def test_a_parked_call_goes_on_on_the_other_node_with_the_verb_in_hand(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = here.call("n1", Hear("*Press*"), Wait(0.5), Hear("*Press*"), Press("5"), Hear("*Bye*"))
        await until_heard(here, log)
        here.nodes["n1"].die()
        await here.until(lambda: bool(here.verdicts))
        assert here.events(Moved) == [Moved("n2", 1)]
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert here.verdicts == ["completed (normal-clearing)"]
        assert [asked for asked, _ in here.pages.asked] == ["/", "/pressed"]
        assert len(here.events(CallOffered)) == 1
        assert here.nodes["n2"].channels == {}


async def test_the_silence_is_short(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = here.call("n1", Hear("*Hello*"), Wait(0.3), Hear("*Hello*"), Wait(0.2), HangUp())
        await until_heard(here, log)
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        first, second = (one for one in log.heard if "Hello" in one.what)
        assert second.from_ms - first.to_ms < 700
        assert log.problems == []


async def test_a_call_that_is_not_answered_ends_with_its_node(tmp_path: Path) -> None:
    async with cluster(tmp_path, {"/": "<Pause length='30'/><Say>Hello</Say>"}) as here:
        here.call("n1", Wait(20), HangUp())
        await here.until(lambda: bool(here.pages.answered))
        here.nodes["n1"].die()
        await here.until(lambda: bool(here.verdicts))
        assert here.verdicts == ["failed (node-lost)"]
        assert here.events(Moved) == []


async def test_without_core_databases_every_call_ends_once(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO, adopts=False, servers=("first", "second")) as here:
        for _ in range(5):
            here.call("n1", Wait(200))
        await here.until(lambda: len(here.pages.answered) == 5)
        await here.clock.sleep(1)
        here.nodes["n1"].die()
        await here.clock.sleep(LOST_AFTER_S - 5)
        assert here.verdicts == []
        await here.until(lambda: len(here.verdicts) == 5, within_s=10)
        await here.clock.sleep(10)
        assert here.verdicts == ["completed (node-lost)"] * 5


@pytest.mark.parametrize("adopts", [True, False])
async def test_a_lone_node_that_is_restarted_brings_its_own_calls_up_or_ends_them(tmp_path: Path, adopts: bool) -> None:
    async with cluster(tmp_path, HELLO, nodes=("n1",), adopts=adopts) as here:
        log = here.call("n1", Hear("*Hello*"), Wait(0.1), Hear("*Hello*"), HangUp())
        await until_heard(here, log)
        here.nodes["n1"].restart()
        await here.until(lambda: bool(here.verdicts))
        assert here.verdicts == ["completed (normal-clearing)" if adopts else "completed (node-lost)"]
        again = here.call("n1", Hear("*Hello*"), HangUp())
        await here.until(lambda: bool(again.cause))
        assert again.problems == []


async def test_a_node_that_nobody_reaches_is_lost_after_a_while_and_not_driven_when_it_is_back(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = here.call("n1", Hear("*Hello*"), Wait(60))
        await until_heard(here, log)
        network = here.networks["n1"]
        network.cut_off()
        await here.until(lambda: here.events(Moved) == [Moved("n2", 1)], within_s=40)
        parked = here.nodes["n1"].ring("+15550001111", "+15550002222")
        network.is_cut_off = False
        await here.until(lambda: bool(parked.cause))
        assert parked.cause == "NORMAL_TEMPORARY_FAILURE"
        assert here.nodes["n1"].is_paused
        here.nodes["n1"].restart()
        here.nodes["n1"].is_paused = False
        server = here.servers["first"]
        await here.until(lambda: server.keepers["n1"].is_serving, within_s=10)


async def test_a_node_that_is_back_is_not_lost_because_a_server_still_remembers_its_death(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO, servers=("first", "second")) as here:
        here.nodes["n1"].die()
        await here.clock.sleep(3)
        here.ways["second"]["n1"].is_down = True  # it tries again later than the first
        here.nodes["n1"].restart()
        await here.until(lambda: here.servers["first"].keepers["n1"].is_serving)
        await here.clock.sleep(0.5)
        here.ways["second"]["n1"].is_down = False
        await here.until(lambda: here.servers["second"].keepers["n1"].is_serving, within_s=6)
        assert all(server.keepers["n1"].is_serving for server in here.servers.values())
        assert [core.is_lost for core in await here.cores.known() if core.node == "n1"] == [True, False]


async def test_nobody_adopts_for_ever(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = here.call("n1", Hear("*Hello*"), Wait(60))
        await until_heard(here, log)
        here.tables.away.add("n1")
        here.nodes["n1"].die()
        await here.clock.sleep(GIVE_UP_S - 1)
        assert here.verdicts == []
        await here.until(lambda: here.verdicts == ["completed (node-lost)"], within_s=4)


class Refusing:
    """A way to fence that never succeeds."""

    async def fence(self, node: str) -> bool:
        return False


async def test_what_is_not_fenced_is_not_adopted(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO, fencer=Refusing()) as here:
        log = here.call("n1", Hear("*Hello*"), Wait(60))
        await until_heard(here, log)
        here.nodes["n1"].die()
        await here.until(lambda: here.verdicts == ["completed (node-lost)"], within_s=GIVE_UP_S + 4)


async def calling(here: Cluster) -> PartyLog:
    log = here.call("n1", Hear("*Press*"), Wait(1), Hear("*Press*"), Press("5"), Hear("*Bye*"))
    await until_heard(here, log)
    return log


STEPS = (
    "led", "copying", "copied", "adopting", "adopted", "dropping", "dropped",
    "settling", "settled",
)  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
async def test_another_server_goes_on_where_one_died(tmp_path: Path, step: str) -> None:
    async with cluster(tmp_path, HELLO, servers=("first", "second")) as here:
        log = await calling(here)

        async def die_there(at: str, lost: Core) -> None:
            if at == step and len(here.servers) == 2:
                here.kill_server(here.cores.leader_of(lost))
                await asyncio.sleep(0)  # dead from here on

        here.cores.at = here.tables.at = die_there
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert len(here.servers) == 1
        assert log.problems == []
        assert here.verdicts == ["completed (normal-clearing)"]
        assert len(here.events(Moved)) == 1
        assert [asked for asked, _ in here.pages.asked] == ["/", "/pressed"]


@pytest.mark.parametrize("step", STEPS[1:])
async def test_a_third_node_goes_on_where_the_adopting_node_died(tmp_path: Path, step: str) -> None:
    async with cluster(tmp_path, HELLO, nodes=("n1", "n2", "n3")) as here:
        log = await calling(here)

        async def die_there(at: str, lost: Core) -> None:
            second = here.nodes["n2"]
            if at == step and lost.node == "n1" and here.tables.adopting in ("", "n2") and not second.is_dead:
                second.die()

        here.cores.at = here.tables.at = die_there
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert here.nodes["n2"].is_dead
        assert log.problems == []
        assert here.verdicts == ["completed (normal-clearing)"]
        assert here.events(Moved)[-1] in [Moved(*place) for place in here.journal.moved.values()]
        assert log.words().count("heard Press") <= 3


async def test_a_caller_who_waits_for_us_goes_on_before_the_legs_of_others_are_there(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = await calling(here)
        gone_on: list[bool] = []

        async def look(at: str, _lost: Core) -> None:
            if at == "settling":
                await here.clock.sleep(0.5)
                gone_on.append(bool(here.events(Moved)))

        here.cores.at = look
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert gone_on == [True]
        assert here.events(Moved) == [Moved("n2", 1)]
        assert log.problems == []


@pytest.mark.parametrize("step", ["adopted", "dropped"])
async def test_calls_whose_legs_are_yet_to_come_up_do_not_end_when_the_links_are_opened_anew(
    tmp_path: Path, step: str
) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = await calling(here)

        async def cut(at: str, _lost: Core) -> None:
            if at == step and not here.events(Moved):
                here.networks["n2"].sever_all()
                await here.clock.sleep(1)

        here.cores.at = here.tables.at = cut
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert here.verdicts == ["completed (normal-clearing)"]
        assert here.events(Moved) == [Moved("n2", 1)]


async def test_a_leg_that_does_not_come_up_ends_its_call_once(tmp_path: Path) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = here.call("n1", Hear("*Hello*"), Wait(60))
        await until_heard(here, log)

        async def lose(at: str, _lost: Core) -> None:
            if at == "dropped":
                (here.nodes["n2"].left or {}).clear()

        here.tables.at = lose
        here.nodes["n1"].die()
        await here.until(lambda: bool(here.verdicts))
        await here.clock.sleep(20)
        assert here.verdicts == ["completed (node-lost)"]
        assert here.events(Moved) == []


@pytest.mark.parametrize("step", ["copying", "adopted", "dropped"])
async def test_links_that_break_while_the_run_before_is_settled_end_no_call_that_moved(
    tmp_path: Path, step: str
) -> None:
    async with cluster(tmp_path, HELLO) as here:
        log = await calling(here)

        async def cut(at: str, lost: Core) -> None:
            if at == step:
                here.networks["n1"].sever_all()
                await here.clock.sleep(0.3)

        here.cores.at = here.tables.at = cut
        here.nodes["n1"].restart()
        await here.until(lambda: bool(log.cause))
        assert log.problems == []
        assert here.verdicts == ["completed (normal-clearing)"]
        assert len(here.events(Moved)) == 1


async def test_a_defect_in_following_a_lost_node_ends_the_server(tmp_path: Path) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    async with cluster(tmp_path, HELLO) as here:
        server = here.servers["first"]
        server.failover._start(broken)
        await here.until(server.broken.is_set)
