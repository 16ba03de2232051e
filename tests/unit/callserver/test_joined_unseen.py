"""A Dial is answered, and the two joined, while nobody listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from controlplane.calls.commands import KeepRecording
from controlplane.calls.events import LegsJoined
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Then, Wait

from .cluster import cluster
from .platform import Platform, kill, platform

RECORDED = {
    "/": "<Dial record='record-from-answer' action='/after'>+15550003333</Dial>",
    "/after": "<Say>After</Say>",
}
DIAL = {"/": "<Dial action='/after'>+15550003333</Dial>", "/after": "<Say>After</Say>"}

Happens = Callable[[Platform], Coroutine[None, None, None]]


async def cut_for_a_moment(here: Platform) -> None:
    here.network.is_down = True
    here.network.sever_all()
    await here.clock.sleep(0.4)
    here.network.is_down = False


async def kill_and_replace(here: Platform) -> None:
    first = here.servers.pop()
    kill(first)
    here.network.sever_all()
    await here.ownership.close()
    await here.clock.sleep(0.5)
    await here.start_server("second")


@pytest.mark.parametrize("happens", [cut_for_a_moment, kill_and_replace])
async def test_the_dial_is_told_as_completed_and_its_recording_kept(tmp_path: Path, happens: Happens) -> None:
    async with platform(tmp_path, RECORDED) as here:
        under_way: list[asyncio.Task[None]] = []
        at_ms = here.clock.monotonic_ms() + 1900  # the callee answers after 2 s
        here.clock.call_at_ms(at_ms, lambda: under_way.append(asyncio.create_task(happens(here))))
        await here.call(Wait(62), HangUp(), _15550003333=CalleePlan(2, Then.ANSWER, (ExpectEnd(300),)))
        await here.clock.sleep(1)
        await asyncio.gather(*under_way)
        (told,) = (dict(one.parameters) for one in here.callbacks if one.link.url.endswith("/after"))
        assert (told["DialCallStatus"], told["DialBridged"]) == ("completed", "true")
        written = [one for entries in here.journal.commands.values() for said in entries for one in said]
        assert [one.source for one in written if isinstance(one, KeepRecording)] == ["DialVerb"]


async def test_their_node_dies_later_and_they_talk_on(tmp_path: Path) -> None:
    async with cluster(tmp_path, DIAL) as here:
        network, now_ms = here.networks["n1"], here.clock.monotonic_ms()

        def cut() -> None:
            network.is_down = True
            network.sever_all()

        def mend() -> None:
            network.is_down = False

        here.clock.call_at_ms(now_ms + 1990, cut)
        here.clock.call_at_ms(now_ms + 2060, mend)  # refused for less than counts as death
        plan = CalleePlan(ring_s=2, after_answer=(Wait(40), HangUp()))
        log = here.call("n1", Hear("*After*", within_s=90), _15550003333=plan)
        await here.clock.sleep(20)
        assert len(here.events(LegsJoined)) == 1
        here.nodes["n1"].die()
        await here.until(lambda: bool(log.cause), within_s=90)
        assert log.problems == []
        assert ("DialCallStatus", "completed") in here.pages.asked[-1][1].items()
