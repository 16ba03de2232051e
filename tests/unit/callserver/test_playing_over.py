"""Files that the API has played over a call."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from controlplane.base import ids
from controlplane.calls.events import PlayAsked
from controlplane.callserver.ports import Request
from controlplane.emulator.scenarios import HangUp, Wait

from .platform import APP, Platform, Sounds, platform

LISTENING = {"/": "<Gather timeout='20'/>"}


def play(here: Platform, *names: str) -> None:
    """Ask, as the API does, that files be played over the only call."""
    (call,) = here.journal.entries
    for name in names:
        asked = PlayAsked(f"req_{name}", ids.leg_of_call(call), f"pb_{name}", f"{APP}/{name}.wav")
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
