"""A case run in memory with something happening to its call server at one message between it and the node.

The application answers without HTTP and prompts are silence, so that a case can be run at every point there is.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from controlplane.base.ids import Token
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry
from controlplane.calls.facts import Facts
from controlplane.calls.machine import CallMachine
from controlplane.callserver.ports import Fetched, FetchFailed, Sound
from controlplane.emulator.channel import Channel
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.thread import App
from controlplane.esl.apis import ping
from controlplane.esl.commands import KICK
from controlplane.verbs.documents import Link, Play, Say
from controlplane.wiring.memory import MemoryJournal
from tests.acceptance.cases import Case
from tests.unit.callserver.platform import APP, Pages, Platform, Sounds, kill

COMMIT_MS = 3
MAKING_S = 0.3
_OURS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|rec_\w+|/\S*/")
_SETTINGS = frozenset({"multiset", "set", "sched_hangup", "park"})  # done twice they do no harm


@dataclass(slots=True)
class Wire:
    """The way between call servers and a node: counts what goes over it, and at message `point` loses it, and tells."""

    network: MemoryNetwork
    point: int | None
    at_point: Callable[[], None] = lambda: None
    count: int = -1_000_000
    lost: bytes = b""

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> object:
        return await self.network.connect(lambda: _Tap(self, factory()))

    def is_lost(self, data: bytes) -> bool:
        if data in (KICK.data, ping().data):
            return False
        self.count += 1
        if self.count - 1 != self.point:
            return False
        self.lost = data
        self.at_point()
        return True


class _Tap(asyncio.Protocol):
    def __init__(self, wire: Wire, link: asyncio.Protocol) -> None:
        self._wire, self._link = wire, link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._link.connection_made(_TapTransport(self._wire, transport))

    def data_received(self, data: bytes) -> None:
        if not self._wire.is_lost(data):
            self._link.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._link.connection_lost(exc)


class _TapTransport(asyncio.Transport):
    def __init__(self, wire: Wire, transport: Any) -> None:
        super().__init__()
        self._wire, self._transport = wire, transport

    def write(self, data: Any) -> None:
        if not self._wire.is_lost(bytes(data)):
            self._transport.write(data)

    def get_write_buffer_size(self) -> int:
        return int(self._transport.get_write_buffer_size())

    def abort(self) -> None:
        self._transport.abort()


@dataclass
class Lagging(MemoryJournal):
    """A journal whose commits take a while; what its process dies with is not on record."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    under_way: list[Callable[[], None]] = field(default_factory=list)

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        put = partial(super().submit, machine, entry, commands, is_urgent=is_urgent)

        def commit() -> None:
            if commit not in self.under_way:
                return
            self.under_way.remove(commit)
            problem = put().exception()
            if done.done():
                return
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)

        self.under_way.append(commit)
        self.clock.call_at_ms(self.clock.monotonic_ms() + COMMIT_MS, commit)
        return done


@dataclass
class CasePages(Pages):
    """The pages of a case, answered as tests/acceptance/application.py has them, as far as that needs no HTTP."""

    answered_by: Counter[str] = field(default_factory=Counter)

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        path = link.url.removeprefix(APP).partition("#")[0]
        self.asked.append((path, dict(parameters)))
        page: Any = self.pages.get(path, {"status": 404})
        if isinstance(page, list):
            page = page[min(self.answered_by[path], len(page) - 1)]
        self.answered_by[path] += 1
        page = page if isinstance(page, dict) else {"body": page}
        if page.get("status", 200) != 200 or "delay_s" in page or "close_after" in page:
            raise FetchFailed(11200, "as the case has it")
        body = str(page.get("body", "")).replace("{app}", APP).encode(page.get("encoding", "utf-8"))
        return Fetched(link.url, page.get("type", "text/xml"), body)


@dataclass
class SlowSounds(Sounds):
    """Prompts that each have to be made before they are heard for the first time."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    is_slow: bool = False
    texts: dict[str, str] = field(default_factory=dict)

    def maybe_sound(self, node: str, prompt: Say | Play) -> Sound | None:
        sound = self._known(node, prompt)
        return None if self.is_slow and sound.path not in self.made else sound

    async def make_sound(self, node: str, prompt: Say | Play) -> Sound:
        sound = self._known(node, prompt)
        await self.clock.sleep(MAKING_S)
        self.made.append(sound.path)
        return sound

    def _known(self, node: str, prompt: Say | Play) -> Sound:
        sound = Sounds.maybe_sound(self, node, prompt)
        assert sound is not None
        self.texts[sound.path] = prompt.text if isinstance(prompt, Say) else prompt.url
        return sound


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run. `executed` is every application that did something, leg by leg."""

    executed: tuple[tuple[str, ...], ...]
    points: int
    logs: Sequence[PartyLog]
    unfinished: int
    channels: int
    story: str
    lost: bytes  # the message at the point

    @property
    def heard(self) -> list[list[str]]:
        return [[one.what for one in log.heard] for log in self.logs]


Happening = Callable[["Run"], None]


@dataclass(slots=True)
class Run:
    """A case under way."""

    here: Platform
    wire: Wire
    journal: Lagging

    def cut(self) -> None:
        """Every link is cut; the call server goes on and opens new ones."""
        self.wire.network.sever_all()

    def die(self) -> None:
        """The call server is gone with all that it knew and had not on record; another takes over."""
        server = self.here.servers.pop()
        self.journal.under_way.clear()
        kill(server)
        self.wire.network.sever_all()
        asyncio.get_running_loop().create_task(self._replace())

    async def _replace(self) -> None:
        await self.here.ownership.close()
        await self.here.start_server("second", network=self.wire)


async def run_interrupted(
    case: Case, folder: Path, point: int | None, happening: Happening | None, *, is_slow: bool
) -> Ran:
    """Run a case; at message `point` (counted from when its first caller calls) `happening` happens."""
    clock = VirtualClock()
    node = Node(clock)
    executed: dict[str, list[str]] = {}
    node.apps = {name: _noting(name, app, executed) for name, app in node.apps.items()}
    journal = Lagging(clock=clock)
    sounds = SlowSounds(clock=clock, is_slow=is_slow, folder=str(folder))
    network = MemoryNetwork(node)
    here = Platform(clock, node, network, CasePages(dict(case.pages)), sounds, journal)
    wire = Wire(network, point)
    await here.start_server(network=wire)
    run = Run(here, wire, journal)
    if happening is not None:
        wire.at_point = partial(happening, run)
    wire.count = 0
    cast = Cast(node, case.scenario, lambda path: (sounds.texts.get(path, ""),))
    logs = await cast.perform()
    points = wire.count
    await clock.sleep(40)  # two sweeps
    unfinished = sum(1 for entries in journal.entries.values() if not is_over(entries))
    story = "\n".join(here.timeline) if len(journal.entries) == 1 else ""
    for server in here.servers:
        await server.stop()
    await asyncio.sleep(0)
    legs = tuple(tuple(_OURS.sub("…", one) for one in some) for some in executed.values())
    return Ran(legs, points, logs, unfinished, len(node.channels), story, wire.lost)


def _noting(name: str, app: App, executed: dict[str, list[str]]) -> App:
    async def run(channel: Channel, data: str) -> None:
        if name not in _SETTINGS:
            executed.setdefault(channel.uuid, []).append(f"{name} {data}".strip())
        await app.run(channel, data)

    return replace(app, run=run)


def is_over(entries: list[Entry]) -> bool:
    machine = CallMachine()
    for entry in entries:
        machine.handle(entry)
    return machine.is_over
