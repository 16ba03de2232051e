"""Files that the API has played over a call."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from controlplane.base import ids
from controlplane.calls.events import PlayAsked
from controlplane.callserver.ports import Request
from controlplane.emulator.scenarios import HangUp, Press, Wait

from .platform import APP, Platform, Sounds, platform
from .test_driving import replace

LISTENING = {"/": "<Gather timeout='20'/>"}


def play(here: Platform, *names: str, loop: int = 1) -> None:
    """Ask, as the API does, that files be played over the only call."""
    (call,) = here.journal.entries
    for name in names:
        asked = PlayAsked(f"req_{name}", ids.leg_of_call(call), f"pb_{name}", f"{APP}/{name}.wav", loop)
        here.inbox.asked.append(Request(call, asked))
    here.servers[0].requests_changed()


async def test_of_files_that_are_asked_for_at_once_none_is_forgotten(tmp_path: Path) -> None:
    async with platform(tmp_path, LISTENING) as here:
        here.clock.call_at_ms(here.clock.monotonic_ms() + 3000, partial(play, here, "one", "two"))
        await here.call(Wait(6), HangUp())
        assert here.sounds.made == ["one", "two"]


async def test_a_tenant_is_told_why_a_file_was_not_played(tmp_path: Path) -> None:
    async with platform(tmp_path, LISTENING, Sounds(missing=frozenset({"gone"}))) as here:
        here.clock.call_at_ms(here.clock.monotonic_ms() + 3000, partial(play, here, "gone"))
        await here.call(Wait(6), HangUp())
        assert f"platform 11200 as the test has it ({APP}/gone.wav)" in here.timeline


@pytest.mark.parametrize("is_taken_over", [False, True])
async def test_a_key_ends_what_is_played_over_a_call(is_taken_over: bool, tmp_path: Path) -> None:
    """Also where a server before this one had it played."""
    async with platform(tmp_path, {"/": "<Gather timeout='30' numDigits='5'/>"}) as here:

        def die() -> None:
            asyncio.get_running_loop().create_task(replace(here, here.servers[0]))

        begin_ms = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin_ms + 3000, partial(play, here, "one", loop=20))
        if is_taken_over:
            here.clock.call_at_ms(begin_ms + 5000, die)
        log = await here.call(Wait(8), Press("1"), Wait(12), HangUp())
        heard_ms = sum(one.to_ms - one.from_ms for one in log.heard if one.what.endswith("one.wav"))
        assert 4000 < heard_ms < 6000
