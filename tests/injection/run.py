"""A whole run: the control first, then every place with as many attempts as are wanted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import count
from pathlib import Path
from typing import Any

from tests.injection.callees import callee_places
from tests.injection.callers import CALLER_PLACES, Call, Callers
from tests.injection.control import fire_canaries
from tests.injection.json_places import json_places
from tests.injection.lanes import Lanes
from tests.injection.later import LATER_PLACES
from tests.injection.media import media_places
from tests.injection.outcomes import Attempt, Outcomes
from tests.injection.payloads import Payload, all_payloads, some_of_each
from tests.injection.places import Place, all_places
from tests.injection.requests import Request, Requests, request_places
from tests.injection.stage import Stage, bare_stage, whole_stage
from tests.injection.torture import oddities, torment

PROGRESS_S = 5.0
# What becomes of records while the database does not answer in time is the ledger's matter (tests/chaos).
_OF_A_SLOW_DATABASE = "record_set_aside"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to run: `each` attempts a place (None: all), only places of these patterns, so many calls at once."""

    each: int | None = None
    places: tuple[str, ...] = ("*",)
    lanes: int = 16


@dataclass(slots=True)
class Report:
    """What came of a run. `controls` says of each kind of canary whether it can sing."""

    outcomes: Outcomes
    controls: dict[str, bool] = field(default_factory=dict)
    sung: list[str] = field(default_factory=list)
    commands: int = 0
    replies: int = 0
    left_unread: int = 0
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_well(self) -> bool:
        """Nothing sang, though everything can; nothing ended as it must not. What was not tried shows nothing."""
        is_shown = self.outcomes.cases > 0 and bool(self.controls) and all(self.controls.values())
        return is_shown and not (self.sung or self.outcomes.problems or self.complaints)

    def facts(self) -> dict[str, Any]:
        """The one line of a run."""
        counts = self.outcomes.counts
        return {
            "cases": self.outcomes.cases,
            "places": len(self.outcomes.places),
            "payloads": len(self.outcomes.payloads),
            "refused": counts["refused"],
            "carried_out": counts["carried out"],
            "problems": len(self.outcomes.problems),
            "canaries_fired": len(self.sung),
            "controls_fired": f"{sum(self.controls.values())} of {len(self.controls)}",
            "commands": self.commands,
            "replies": self.replies,
            "replies_left_unread": self.left_unread,
            "complaints_in_logs": len(self.complaints),
            "seconds": round(self.seconds, 1),
        }


def application_places() -> list[Place]:
    """All places of an application's and a callee's answers."""
    return [*all_places(), *json_places(), *media_places(), *callee_places()]


def places_of_all() -> set[str]:
    """The names under which outcomes are noted of all places there are, but for whole SIP messages."""
    called = {f"INVITE {name}" for name in CALLER_PLACES}
    return (
        {place.name for place in application_places()}
        | called
        | {*LATER_PLACES}
        | {place.name for place in request_places()}
    )


async def run_all(
    folder: Path, server_url: str, program: Path, wanted: Wanted, progress: Callable[[str], None] = lambda _: None
) -> Report:
    """Fire the canaries on purpose, then make the attempts."""
    report, began_s = Report(Outcomes()), time.monotonic()
    (folder / "control").mkdir()
    async with bare_stage(folder / "control", program) as stage:
        report.controls = await fire_canaries(stage)
    (folder / "run").mkdir()
    async with whole_stage(folder / "run", server_url, program) as stage:
        async with _telling(report.outcomes, stage, progress):
            await _attempt(stage, report.outcomes, wanted)
        await stage.watcher.look()
        await stage.tap.settle()
        report.commands, report.replies = stage.tap.asked, stage.tap.answered
        report.left_unread = stage.tap.left_unread
        assert stage.platform is not None
        report.complaints = complaints_of(stage.platform.lines)
    report.sung = list(stage.canaries.sung)
    report.seconds = time.monotonic() - began_s
    return report


async def _attempt(stage: Stage, outcomes: Outcomes, wanted: Wanted) -> None:
    payloads, numbers, turns = all_payloads(), count(), count()

    def chosen() -> list[Payload]:
        return payloads if wanted.each is None else some_of_each(payloads, next(turns), wanted.each)

    places = [place for place in application_places() if _is_wanted(place.name, wanted)]
    attempts = [Attempt(next(numbers), place, payload) for place in places for payload in chosen()]
    await Lanes(stage, outcomes, wanted.lanes).run(attempts)
    named = [name for name in CALLER_PLACES if _is_wanted(f"INVITE {name}", wanted)]
    named += [name for name in LATER_PLACES if _is_wanted(name, wanted)]
    calls = [Call(next(numbers), name, payload) for name in named for payload in chosen()]
    await Callers(stage, outcomes).run(calls)
    if _is_wanted("SIP message", wanted):
        await torment(stage, outcomes, oddities())
    asked = [place for place in request_places() if _is_wanted(place.name, wanted)]
    requests = [Request(next(numbers), place, payload) for place in asked for payload in chosen()]
    await Requests(stage, outcomes).run(requests)


def _is_wanted(name: str, wanted: Wanted) -> bool:
    return any(fnmatch(name, pattern) for pattern in wanted.places)


@asynccontextmanager
async def _telling(outcomes: Outcomes, stage: Stage, progress: Callable[[str], None]) -> AsyncIterator[None]:
    known: dict[str, None] = {}

    async def tell() -> None:
        while True:
            await asyncio.sleep(PROGRESS_S)
            for what in [*outcomes.problems, *stage.canaries.sung]:
                if what not in known:
                    known[what] = None
                    progress(f"  {what}")
            told = f"{outcomes.cases} cases, {len(outcomes.problems)} problems, {len(stage.canaries.sung)} canaries"
            progress(f"{told}, {stage.tap.asked} commands")

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def complaints_of(lines: Sequence[str]) -> list[str]:
    """Lines of processes that are none of a log, or that speak of a defect of ours."""
    return [line[:2000] for line in lines if _is_complaint(line.partition(": ")[2])]


def _is_complaint(line: str) -> bool:
    try:
        told = json.loads(line)
    except ValueError:
        return True
    if not isinstance(told, dict) or told.get("event") == _OF_A_SLOW_DATABASE:
        return False
    return told.get("level") in ("error", "critical")
