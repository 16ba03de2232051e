"""What goes wrong around a call server, and what becomes of the calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

from controlplane.calls.events import Redirected
from controlplane.callserver.ports import Request
from controlplane.emulator.scenarios import ExpectEnd, Hear
from controlplane.verbs.documents import Link

from .platform import APP, Platform, platform
from .test_driving import replace


def redirect(here: Platform) -> None:
    """Ask, as the API does, that the only call go on with /next."""
    (call,) = here.journal.entries
    here.inbox.asked.append(Request(call, Redirected("req_1", Link(f"{APP}/next"))))
    here.servers[0].requests_changed()


MUSIC = {"/": "<Play loop='0'>/music.wav</Play>", "/next": "<Say>end</Say>"}


async def test_a_redirect_breaks_off_what_a_server_before_us_had_begun(tmp_path: Path) -> None:
    async with platform(tmp_path, MUSIC) as here:

        def die() -> None:
            asyncio.get_running_loop().create_task(replace(here, here.servers[0]))

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 3000, die)
        here.clock.call_at_ms(begin + 6000, lambda: redirect(here))
        log = await here.call(Hear("music"), Hear("end"), ExpectEnd())
        assert log.problems == []


async def test_a_redirect_asked_while_no_link_was_up_breaks_off_what_ran(tmp_path: Path) -> None:
    async with platform(tmp_path, MUSIC) as here:

        def cut() -> None:
            here.network.is_down = True
            here.network.sever_all()

        def mend() -> None:
            here.network.is_down = False

        begin = here.clock.monotonic_ms()
        here.clock.call_at_ms(begin + 3000, cut)
        here.clock.call_at_ms(begin + 3500, lambda: redirect(here))
        here.clock.call_at_ms(begin + 8000, mend)
        log = await here.call(Hear("music"), Hear("end"), ExpectEnd())
        assert log.problems == []
