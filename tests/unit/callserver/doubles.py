"""The world around a call server as it is on a bad day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.errors import CallplaneError, Unavailable
from controlplane.base.ids import CallId, LegId, Token
from controlplane.calls.commands import Command
from controlplane.calls.events import DocumentArrived, Entry
from controlplane.calls.facts import Facts
from controlplane.calls.machine import CallMachine
from controlplane.callserver.ports import Fetched, Sound, Stored
from controlplane.emulator.clock import VirtualClock
from controlplane.verbs.documents import Link, Play, Say
from controlplane.wiring.memory import MemoryInbox, MemoryJournal, MemoryOwnership

from .platform import Pages, Sounds


@dataclass
class Shelf(MemoryJournal):
    """A journal whose database may be away, or slow to read."""

    is_away: bool = False
    is_full: bool = False
    cannot_write_off: bool = False
    refused: int = 0  # attempts to write a call off
    strange: tuple[Stored, ...] = ()
    delay_s: float = 0.0
    clock: VirtualClock | None = None

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        if self.is_full:
            raise Unavailable(None)
        return super().submit(machine, entry, commands, is_urgent=is_urgent)

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        if self.is_away:
            raise Unavailable(None)
        stored = await super().live_calls(node, shards, but)
        if self.clock is not None:
            await self.clock.sleep(self.delay_s)
        return [*(one for one in self.strange if one.facts.call not in self.written_off), *stored]

    async def write_off(self, facts: Facts, cause: Cause) -> Sequence[LegId]:
        if self.cannot_write_off:
            self.refused += 1
            raise Unavailable(None)
        return await super().write_off(facts, cause)


@dataclass
class Fading(Shelf):
    """A journal that goes away when calls were read of it so many times; never before that is set."""

    answers_left: int | None = None

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        stored = await super().live_calls(node, shards, but)
        if stored and self.answers_left is not None:
            self.answers_left -= 1
            self.is_away = self.answers_left == 0
        return stored

    def come_back(self) -> None:
        self.is_away, self.answers_left = False, None


class SetBack(VirtualClock):
    """A clock that somebody sets back by an hour."""

    back_ms = 0

    def set_back(self) -> None:
        self.back_ms = 3_600_000

    def now_ms(self) -> int:
        return super().now_ms() - self.back_ms


@dataclass
class Choosy(MemoryJournal):
    """A journal whose database will not take what the application answered for the second time."""

    answers: int = 0

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        self.answers += isinstance(entry.event, DocumentArrived)
        if not isinstance(entry.event, DocumentArrived) or self.answers < 2:
            return super().submit(machine, entry, commands, is_urgent=is_urgent)
        refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        refused.set_exception(CallplaneError("as the test has it"))
        return refused


@dataclass
class Filling(Pages):
    """An application during whose second answer the journal fills up."""

    journal: Shelf = field(default_factory=Shelf)

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        self.journal.is_full = bool(self.asked)
        return await super().fetch(facts, link, parameters, token)


@dataclass
class Keeping(Pages):
    """An application of which something is kept for each call that asks it."""

    kept: set[CallId] = field(default_factory=set)

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        self.kept.add(facts.call)
        return await super().fetch(facts, link, parameters, token)

    def forget(self, call: CallId) -> None:
        self.kept.discard(call)


class Broken(Pages):
    """An application that cannot be asked, for a reason nobody thought of."""

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        raise RuntimeError


class BrokenSounds(Sounds):
    """Prompts that cannot be made, for a reason nobody thought of."""

    async def make_sound(self, node: str, prompt: Say | Play) -> Sound:
        raise RuntimeError


@dataclass
class SlowInbox(MemoryInbox):
    """A queue whose claims take a while to come back."""

    clock: VirtualClock = field(default_factory=VirtualClock)

    async def claim_calls(self, places: frozenset[tuple[str, int]], most: int) -> Sequence[Facts]:
        claimed = await super().claim_calls(places, most)
        await self.clock.sleep(3)
        return claimed


@dataclass(slots=True)
class Shared(MemoryOwnership):
    """Locks of which another server wants its half."""

    servers: list[str] = field(default_factory=lambda: ["first"])

    async def live_servers(self) -> list[str]:
        return self.servers
