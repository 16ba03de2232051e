"""Legs that a Dial was to make when its caller left: somebody has to say that they never came."""

from __future__ import annotations

from pathlib import Path

from controlplane.calls.events import LegEnded
from controlplane.emulator.scenarios import CalleePlan, HangUp, Wait

from .platform import platform

PAGES = {"/": "<Say>one</Say><Dial>+15550003333</Dial>"}


async def test_a_leg_that_was_never_dialled_as_its_caller_left_ends_soon(tmp_path: Path) -> None:
    async with platform(tmp_path, PAGES) as here:
        await here.call(Wait(0.5), HangUp(), _15550003333=CalleePlan())
        await here.clock.sleep(1)
        (entries,) = here.journal.entries.values()
        ended = [entry.event.cause for entry in entries if isinstance(entry.event, LegEnded)]
        assert ended == ["NORMAL_CLEARING", "ORIGINATOR_CANCEL"]
        assert len(here.logs) == 1  # nobody was dialled
        assert here.journal.all_are_over()


async def test_a_leg_whose_end_is_told_keeps_its_cause(tmp_path: Path) -> None:
    async with platform(tmp_path, PAGES) as here:
        callee = CalleePlan(ring_s=1, after_answer=(Wait(60),))
        await here.call(Wait(5), HangUp(), _15550003333=callee)
        await here.clock.sleep(1)
        (entries,) = here.journal.entries.values()
        ended = [entry.event.cause for entry in entries if isinstance(entry.event, LegEnded)]
        assert ended == ["NORMAL_CLEARING", "NORMAL_CLEARING"]
