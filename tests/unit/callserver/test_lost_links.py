"""Commands that are due while the links are lost, or before it is known what of a call was lost with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.base.ids import Token
from controlplane.calls.events import Redirected
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Fetched, Request, Sound
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.scenarios import ExpectEnd, Hear, Press
from controlplane.verbs.documents import Link, Play, Say

from .doubles import Shelf
from .platform import APP, Pages, Platform, Sounds, name_of, platform

LINKS_LOST_MS, LINKS_BACK_MS, JOURNALS_READ_S = 3000, 3700, 1.0


@dataclass
class Timed(Sounds):
    """Prompts of which some are made at a time of their own (ms)."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    made_at_ms: Mapping[str, int] = field(default_factory=dict)

    async def make_sound(self, node: str, prompt: Say | Play) -> Sound:
        while self.clock.monotonic_ms() < self.made_at_ms.get(name_of(prompt), 0):
            await self.clock.sleep(0.01)
        return await super().make_sound(node, prompt)


@dataclass
class Late(Pages):
    """An application that answers at one path after a while only."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    path: str = "/"
    after_s: float = 0.0

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        fetched = await super().fetch(facts, link, parameters, token)
        if link.url == f"{APP}{self.path}":
            await self.clock.sleep(self.after_s)
        return fetched


def timed(clock: VirtualClock, **made_at_ms: int) -> Timed:
    at_ms = {name: clock.monotonic_ms() + ms for name, ms in made_at_ms.items()}
    return Timed(slow=frozenset(at_ms), clock=clock, made_at_ms=at_ms)


def lose_links(here: Platform, journal: Shelf) -> None:
    """Have the links break, come back, and the journals be read after that for a while."""

    def cut() -> None:
        here.network.is_down = True
        here.network.sever_all()

    def mend() -> None:
        journal.delay_s = JOURNALS_READ_S
        here.network.is_down = False

    now_ms = here.clock.monotonic_ms()
    here.clock.call_at_ms(now_ms + LINKS_LOST_MS, cut)
    here.clock.call_at_ms(now_ms + LINKS_BACK_MS, mend)


async def test_a_burst_of_which_the_first_part_was_lost_is_said_whole(tmp_path: Path) -> None:
    clock = VirtualClock()
    journal = Shelf(clock=clock)
    pages = {
        "/": "<Say>hello</Say><Gather numDigits='1' action='/done'><Say>press</Say></Gather>",
        "/done": "<Say>bye</Say>",
    }
    sounds = timed(clock, hello=LINKS_LOST_MS + 200, press=LINKS_BACK_MS + 700)
    async with platform(tmp_path, pages, sounds=sounds, journal=journal, clock=clock) as here:
        lose_links(here, journal)
        log = await here.call(Hear("hello"), Hear("press"), Press("5"), Hear("bye"), ExpectEnd())
        assert log.problems == []


async def test_a_caller_whose_answer_was_lost_is_answered_all_the_same(tmp_path: Path) -> None:
    clock = VirtualClock()
    journal = Shelf(clock=clock)
    pages = {"/": "<Gather timeout='4'><Say>press</Say></Gather><Say>bye</Say>"}
    application = Late(pages, clock=clock, after_s=(LINKS_LOST_MS + 200) / 1000)
    sounds = timed(clock, press=LINKS_BACK_MS + 700)
    async with platform(
        tmp_path, pages, sounds=sounds, journal=journal, clock=clock, application=application
    ) as here:  # fmt: skip
        lose_links(here, journal)
        log = await here.call(Hear("press"), Hear("bye"), ExpectEnd())
        assert log.problems == []
        assert "answered" in log.words()


async def test_a_redirect_whose_interruption_was_lost_ends_what_runs(tmp_path: Path) -> None:
    """The links hang before they are given up, and the new document comes while journals are read."""
    clock = VirtualClock()
    journal = Shelf(clock=clock)
    pages = {"/": "<Play loop='0'>/music.wav</Play>", "/next": "<Say>end</Say>"}
    application = Late(pages, clock=clock, path="/next", after_s=6)
    async with platform(tmp_path, pages, journal=journal, clock=clock, application=application) as here:

        def hang() -> None:
            for link in here.network.transports:
                link.freeze()

        def ask() -> None:
            journal.delay_s = 2.0
            (call,) = here.journal.entries
            here.inbox.asked.append(Request(call, Redirected("req_1", Link(f"{APP}/next"))))
            here.servers[0].requests_changed()

        clock.call_at_ms(clock.monotonic_ms() + 3000, hang)
        clock.call_at_ms(clock.monotonic_ms() + 3500, ask)
        log = await here.call(Hear("music"), Hear("end", within_s=20), ExpectEnd())
        assert log.problems == []
