"""Legs that are to be joined, and something else happens before they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from controlplane.calls.commands import Command, Join
from controlplane.calls.events import Entry, Redirected
from controlplane.calls.machine import CallMachine
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Say, Then
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryJournal

from .platform import APP, NODE, platform


@dataclass
class Watched(MemoryJournal):
    """A journal that tells when legs are about to be joined."""

    joining: Callable[[CallMachine], None] = lambda _: None

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if any(isinstance(command, Join) for command in commands):
            self.joining(machine)
        return super().submit(machine, entry, commands, is_urgent=is_urgent)


async def test_a_redirect_while_the_node_is_asked_keeps_legs_from_being_joined(tmp_path: Path) -> None:
    """The join once went out after what broke it off, and the caller's leg ran nothing after its next two bridges."""
    pages = {
        "/": "<Say>hi</Say><Dial><Number url='/screen'>+15550003333</Number></Dial>",
        "/screen": "",
        "/next": "<Dial>+15550004444</Dial><Dial>+15550005555</Dial><Say>bye</Say>",
    }
    journal = Watched()
    async with platform(tmp_path, pages, journal=journal) as here:

        def redirect(machine: CallMachine) -> None:
            call = here.servers[0].keepers[NODE].find(machine.facts.a_leg)
            assert call is not None
            asyncio.get_running_loop().call_soon(call.feed, Redirected("req_1", Link(f"{APP}/next")))

        journal.joining = redirect
        agents = {
            number: CalleePlan(2, Then.ANSWER, (Say(name, 3), HangUp()))
            for number, name in (("_15550004444", "first"), ("_15550005555", "second"))
        }
        log = await here.call(
            Hear("hi"), Hear("first"), Hear("second"), Hear("bye"), ExpectEnd(), _15550003333=CalleePlan(2), **agents
        )
        assert log.problems == []
