"""The way to one leg."""

from __future__ import annotations

import asyncio

from controlplane.base.causes import Cause
from controlplane.calls.commands import Burst
from controlplane.calls.runs import HangUpLeg, Run
from controlplane.callserver.line import REPARK_TIMEOUT_S, Line, Sounds
from controlplane.emulator.clock import VirtualClock
from tests.unit.calls.conversation import A_LEG, token

from .platform import Sounds as Prompts


async def test_a_defect_after_a_wait_for_the_leg_ends_the_call_instead_of_leaving_it() -> None:
    defect = RuntimeError("as the test has it")
    broke: list[BaseException] = []

    def write(burst: Burst, runs: tuple[Run, ...], sounds: Sounds, left: int) -> None:
        raise defect

    clock = VirtualClock()
    line = Line(A_LEG, "n1", clock, Prompts(), write, print, print, print, broke.append)
    line.wait_until_parked()
    line.send(Burst(A_LEG, token(0, 1), (HangUpLeg(Cause.NORMAL_CLEARING),)))
    await clock.sleep(REPARK_TIMEOUT_S + 0.1)
    await asyncio.sleep(0)
    assert broke == [defect]
