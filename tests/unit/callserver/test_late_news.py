"""What happened while nobody listened is put on record as of when it happened."""

from __future__ import annotations

import asyncio
from pathlib import Path

from controlplane.calls.events import LegAnswered, LegEnded, Resumed
from controlplane.emulator.parties import Cast
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Scenario, Wait
from controlplane.verbs.documents import Link

from .platform import APP, Platform, kill, platform
from .test_driving import place

DEAD_S = 5.0


async def die_for_a_while(here: Platform) -> None:
    """The server dies without a word, and nobody is there until another starts."""
    kill(here.servers.pop())
    here.network.sever_all()
    await here.ownership.close()
    await here.clock.sleep(DEAD_S)
    await here.start_server("second")


async def test_a_leg_that_came_and_went_while_nobody_listened_is_found_gone_soon(tmp_path: Path) -> None:
    pages = {"/": "<Say>one</Say><Dial><Number>+15550003333</Number></Dial><Pause length='20'/>"}
    callee = CalleePlan(ring_s=1, after_answer=(Wait(1), HangUp()))
    async with platform(tmp_path, pages) as here:

        def die() -> None:
            asyncio.get_running_loop().create_task(die_for_a_while(here))

        here.clock.call_at_ms(here.clock.monotonic_ms() + 500, die)
        await here.call(ExpectEnd(), _15550003333=callee)
        (entries,) = here.journal.entries.values()
        resumed_ms = next(entry.at_ms for entry in entries if isinstance(entry.event, Resumed))
        lost = [entry for entry in entries if isinstance(entry.event, LegEnded) and entry.event.cause == "LOST"]
        assert [entry.at_ms - resumed_ms < 2000 for entry in lost] == [True]


async def test_a_leg_that_was_answered_while_nobody_listened_talked_from_then_on(tmp_path: Path) -> None:
    pages = {"/": "<Say>one</Say><Dial><Number>+15550003333</Number></Dial>"}
    callee = CalleePlan(ring_s=3, after_answer=(Wait(20), HangUp()))
    async with platform(tmp_path, pages) as here:

        def die() -> None:
            asyncio.get_running_loop().create_task(die_for_a_while(here))

        here.clock.call_at_ms(here.clock.monotonic_ms() + 2000, die)
        await here.call(ExpectEnd(), _15550003333=callee)
        (entries,) = here.journal.entries.values()
        told = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, LegAnswered)]
        callee_log = next(log for log in here.logs if log.party == "+15550003333")
        answered_ms = next(note.at_ms for note in callee_log.notes if note.what == "answered")
        late_ms, late = told[-1]
        epoch_ms = here.clock.now_ms() - here.clock.monotonic_ms()
        assert late.ago_ms > 1000
        assert late_ms - late.ago_ms - epoch_ms == answered_ms


async def test_an_answer_that_the_nodes_list_does_not_know_yet_is_not_missed(tmp_path: Path) -> None:
    plan = CalleePlan(2, after_answer=(Hear("one"), ExpectEnd()))
    async with platform(tmp_path, {"/": "<Say>one</Say>"}) as here:
        here.node.list_lag_ms = 60_000
        place(here, Link(f"{APP}/"))
        cast = Cast(here.node, Scenario(callees={"+15550003333": plan}))
        here.node.far_ends = cast.take_invite
        await here.clock.sleep(1)
        await die_for_a_while(here)
        await here.clock.sleep(5)
        assert [(log.problems, log.cause) for log in cast.logs] == [([], "NORMAL_CLEARING")]


async def test_a_caller_whom_the_nodes_list_does_not_know_as_parked_yet_is_not_missed(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Say>one</Say>"}) as here:
        here.node.list_lag_ms = 60_000
        kill(here.servers.pop())
        here.network.sever_all()
        await here.ownership.close()
        calling = asyncio.create_task(here.call(Hear("one"), ExpectEnd()))
        await here.clock.sleep(0.5)
        await here.start_server("second")
        log = await calling
        assert (log.problems, log.cause) == ([], "NORMAL_CLEARING")


async def test_a_caller_whom_the_nodes_list_does_not_have_yet_is_found_soon(tmp_path: Path) -> None:
    async with platform(tmp_path, {"/": "<Say>one</Say>"}) as here:
        kill(here.servers.pop())
        here.network.sever_all()
        await here.ownership.close()
        calling = asyncio.create_task(here.call(Hear("one"), ExpectEnd()))
        await here.clock.sleep(0.5)
        here.node.unlisted |= set(here.node.channels)
        await here.start_server("second")
        await here.clock.sleep(0.15)
        here.node.unlisted.clear()
        listed_ms = here.clock.monotonic_ms()
        log = await calling
        heard_ms = next(note.at_ms for note in log.notes if note.what == "heard")
        assert (log.problems, log.cause, heard_ms - listed_ms <= 500) == ([], "NORMAL_CLEARING", True)
