"""Legs that live on though their call is over on record: the links were away while somebody wrote it off."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controlplane.calls.events import CallOffered, LegEnded
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, Hear

from .platform import NODE, Platform, platform

WAITING = {"/": "<Say>hello</Say><Pause length='600'/>"}
TALKING = {"/": "<Dial>+15550003333</Dial>"}


async def write_off_while_away(here: Platform) -> None:
    """The links are cut, the call ends on record, and the links come back."""
    here.network.cut_off()
    await here.clock.sleep(1)
    (call,) = here.servers[0].keepers[NODE].calls_of(frozenset(range(16)))
    for leg in call.machine.living_legs:
        call.feed(LegEnded(leg.id, "LOST"))
    here.network.is_cut_off = False


@pytest.mark.parametrize("changes_owner", [False, True])
async def test_a_caller_whose_call_was_written_off_is_hung_up_on_when_the_links_are_back(
    tmp_path: Path, changes_owner: bool
) -> None:
    async with platform(tmp_path, WAITING) as here:

        async def lose() -> None:
            await write_off_while_away(here)
            if changes_owner:
                await here.servers.pop().stop()
                await here.start_server("second")

        tasks: list[asyncio.Task[None]] = []
        later_ms = here.clock.monotonic_ms() + 3000
        here.clock.call_at_ms(later_ms, lambda: tasks.append(asyncio.get_running_loop().create_task(lose())))
        log = await here.call(Hear("hello"), ExpectEnd(40, "NORMAL_TEMPORARY_FAILURE"))
        assert log.problems == []
        (entries,) = here.journal.entries.values()
        assert [type(entry.event) for entry in entries].count(CallOffered) == 1
        assert [entry.event.cause for entry in entries if isinstance(entry.event, LegEnded)] == ["LOST"]
        assert here.node.channels == {}


async def test_two_who_talk_and_whose_call_was_written_off_are_hung_up_on(tmp_path: Path) -> None:
    async with platform(tmp_path, TALKING) as here:
        tasks: list[asyncio.Task[None]] = []
        later_ms = here.clock.monotonic_ms() + 5000
        work = write_off_while_away(here)
        here.clock.call_at_ms(later_ms, lambda: tasks.append(asyncio.get_running_loop().create_task(work)))
        callee = CalleePlan(0.5, after_answer=(ExpectEnd(60, "NORMAL_CLEARING"),))
        await here.call(ExpectEnd(60, "NORMAL_TEMPORARY_FAILURE"), _15550003333=callee)
        assert [log.problems for log in here.logs] == [[], []]
        assert here.journal.all_are_over()
        assert here.node.channels == {}
