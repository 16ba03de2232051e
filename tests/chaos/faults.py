"""What can befall the platform: one row a fault, with what brings it about.

An act is given the run under way, strikes when the marked call is where it should be, heals, and answers. It restores
what a supervisor would restore; the rest the platform must do by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tests.chaos.points import POINTS, Point
from tests.chaos.running import Run

Act = Callable[[Run], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One row. `point` is where in a call's life it strikes, `flow` what the marked call does."""

    name: str
    kind: str
    act: Act
    flow: str = "menu"
    point: str = ""
    others: tuple[str, ...] = ("second",)  # "second": another call server is there; "restart": only this one


async def _kill_at(point: Point, run: Run) -> None:
    await run.kill_at(point)
    if not any(run.site.programs[name].is_running for name in run.site.programs if name.startswith("calls-")):
        await run.driving.start()
    run.heal()


_KILLS = [
    Fault(
        f"kill-{point.name}", "call-server-sigkill", partial(_kill_at, point), point.flow, point.name,
        others=("second", "restart"),
    )
    for point in POINTS.values()
]  # fmt: skip

FAULTS = {fault.name: fault for fault in (*_KILLS,)}
