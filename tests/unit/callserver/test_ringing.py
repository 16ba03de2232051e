"""Which callers hear that it rings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from controlplane.base.ids import Token
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Fetched
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.scenarios import HangUp, Wait
from controlplane.verbs.documents import Link

from .platform import NODE, Pages, kill, platform


@dataclass
class Slow(Pages):
    """An application that takes some time to answer."""

    clock: VirtualClock | None = None
    takes_s: float = 0.0

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        assert self.clock is not None
        await self.clock.sleep(self.takes_s)
        return await super().fetch(facts, link, parameters, token)


async def is_ringing(tmp_path: Path, *, takes_s: float, page: str, after_s: float = 1.0) -> bool:
    """Whether a caller has heard it ring after a while whose application takes so long to answer this page."""
    clock = VirtualClock()
    application = Slow({"/": page}, clock=clock, takes_s=takes_s)
    async with platform(tmp_path, {}, clock=clock, application=application) as here:
        calling = asyncio.create_task(here.call(Wait(3), HangUp()))
        await clock.sleep(after_s)
        (channel,) = here.node.channels.values()
        has_rung = channel.is_ringing
        await calling
        return has_rung


async def test_a_caller_who_is_answered_at_once_does_not_hear_it_ring(tmp_path: Path) -> None:
    assert not await is_ringing(tmp_path, takes_s=0.05, page="<Say>welcome</Say>")


async def test_a_caller_hears_it_ring_while_the_application_thinks(tmp_path: Path) -> None:
    assert await is_ringing(tmp_path, takes_s=0.5, page="<Say>welcome</Say>", after_s=0.3)


async def test_a_caller_hears_it_ring_whom_the_document_lets_wait(tmp_path: Path) -> None:
    assert await is_ringing(tmp_path, takes_s=0.0, page="<Pause length='5'/><Reject/>")


async def test_a_caller_hears_it_ring_though_the_server_died_before_it_said_so(tmp_path: Path) -> None:
    clock = VirtualClock()
    application = Slow({"/": "<Say>welcome</Say>"}, clock=clock, takes_s=5.0)
    async with platform(tmp_path, {}, clock=clock, application=application) as here:
        calling = asyncio.create_task(here.call(Wait(3), HangUp()))
        await here.until(lambda: bool(here.servers[0].keepers[NODE].calls))
        kill(here.servers[0])
        (channel,) = here.node.channels.values()
        assert not channel.is_ringing
        await here.ownership.close()
        await here.start_server("second")
        await clock.sleep(0.5)
        assert channel.is_ringing
        await calling
