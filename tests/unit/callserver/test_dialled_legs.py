"""Legs that we dial, or have dialled: when they can be spoken to, and what becomes of those that never were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.base.ids import Token
from controlplane.calls.events import LegEnded
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Fetched
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Say, Then, Wait
from controlplane.verbs.documents import Link

from .platform import APP, Pages, platform
from .test_driving import place, replace


@dataclass
class Late(Pages):
    """An application that thinks about its second document."""

    clock: VirtualClock = field(default_factory=VirtualClock)

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        fetched = await super().fetch(facts, link, parameters, token)
        if link.url == f"{APP}/next":
            await self.clock.sleep(0.3)
        return fetched


async def test_who_was_dialled_and_waits_is_spoken_to_at_once_by_the_next_server(tmp_path: Path) -> None:
    """What FreeSWITCH lists of a parked channel that something ran on is what that was, not that it is parked."""
    pages = {"/": "<Say>hello</Say><Redirect>/next</Redirect>", "/next": "<Say>there</Say>"}
    clock = VirtualClock()
    async with platform(tmp_path, pages, clock=clock, application=Late(pages, clock=clock)) as here:
        place(here, Link(f"{APP}/"))
        await here.until(lambda: len(here.pages.asked) == 2)
        (channel,) = here.node.channels.values()
        await replace(here, here.servers[0])
        taken_ms = clock.monotonic_ms()
        await here.until(lambda: "there" in (channel.variables.get("current_application_data") or ""))
        assert clock.monotonic_ms() - taken_ms < 500


async def test_who_was_not_called_as_somebody_before_answered_is_told_so_when_the_two_have_talked(
    tmp_path: Path,
) -> None:
    pages = {
        "/": "<Dial sequential='true'><Number>+15550003333</Number><Number>+15550004444</Number></Dial><Say>after</Say>"
        "<Pause length='5'/>"
    }
    async with platform(tmp_path, pages) as here:
        agents = {number: CalleePlan(2, Then.ANSWER, (Say("agent", 3), HangUp())) for number in ("_15550003333",)}
        log = await here.call(Hear("agent"), Hear("after"), Wait(3), ExpectEnd(), **agents)
        assert log.problems == []
        told = [line for line in here.timeline if line.startswith(("callee is gone", "platform event leg"))]
        assert told[-2:] == ["callee is gone: LOSE_RACE", "platform event leg.failed"]
        assert 'platform say "after"' in " ".join(here.timeline).partition("LOSE_RACE")[0]
        (entries,) = here.journal.entries.values()
        ended = [entry.at_ms for entry in entries if isinstance(entry.event, LegEnded)]
        assert ended[1] - ended[0] < 2000
