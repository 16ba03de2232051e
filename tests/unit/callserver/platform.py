"""A call server on the emulator, in memory, on a clock that jumps; the application is a table of pages."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from controlplane.base import ids
from controlplane.base.ids import AccountId, CallId, Token
from controlplane.calls.commands import CallBack
from controlplane.calls.facts import Facts
from controlplane.calls.timeline import tell
from controlplane.callserver.building import NodeParts, Parts, build_call_server
from controlplane.callserver.ports import Fetched, FetchFailed, PromptFailedError, Route, Sound
from controlplane.callserver.server import CallServer
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.scenarios import CalleePlan, CallerPlan, Scenario, Step
from controlplane.esl.sip_uri import Hop
from controlplane.metrics.registry import Metrics
from controlplane.switch.link import Connect
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Link, Play, Say
from controlplane.wiring.memory import MemoryInbox, MemoryJournal, MemoryNumbers, MemoryOwnership
from controlplane.wiring.memory_losses import MemoryCores

from .peers import Session, Sleeper

ACCOUNT = AccountId(ids.mint("acc", 1, b"0123456789"))
APP = "https://app.example"
NODE = "n1"


@dataclass
class Pages:
    """An application: pages by path, and what was asked of it. A page may be an error number."""

    pages: Mapping[str, str | int]
    thinking: asyncio.Event | None = None  # where set, nothing is answered before this
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        path = link.url.removeprefix(APP)
        self.asked.append((path, dict(parameters)))
        self.tokens.append(token)
        if self.thinking is not None and path != "/":
            await self.thinking.wait()
        self.answered.append(path)
        page = self.pages[path]
        if isinstance(page, int):
            raise FetchFailed(page, "as the test has it")
        return Fetched(link.url, "text/xml", f"<Response>{page}</Response>".encode())

    def forget(self, call: CallId) -> None:
        pass


@dataclass
class Sounds:
    """Prompts of one second each; those in `missing` cannot be made, those in `slow` have to be made first."""

    missing: frozenset[str] = frozenset()
    slow: frozenset[str] = frozenset()
    made: list[str] = field(default_factory=list)
    folder: str = ""

    def maybe_sound(self, node: str, prompt: Say | Play) -> Sound | None:
        what = name_of(prompt)
        return None if what in self.missing or (what in self.slow and what not in self.made) else self._sound(what)

    async def make_sound(self, node: str, prompt: Say | Play) -> Sound:
        what = name_of(prompt)
        if what in self.missing:
            raise PromptFailedError(11200, "as the test has it")
        self.made.append(what)
        return self._sound(what)

    def _sound(self, what: str) -> Sound:
        path = Path(self.folder, f"{what}.wav")
        if not path.exists():
            with wave.open(str(path), "wb") as file:
                file.setparams((1, 2, 8000, 8000, "NONE", ""))
                file.writeframes(bytes(16_000))
        return Sound(str(path), 1000)

    def recording_path(self, node: str, recording: str) -> str:
        return f"{self.folder}/{recording}.wav"


def name_of(prompt: Say | Play) -> str:
    text = prompt.text if isinstance(prompt, Say) else prompt.url.rpartition("/")[2].removesuffix(".wav")
    return "".join(letter if letter.isalnum() else "-" for letter in text)


class Network(Protocol):
    """The way to a node."""

    @property
    def connect(self) -> Connect: ...


@dataclass
class Platform:
    clock: VirtualClock
    node: Node
    network: MemoryNetwork
    pages: Pages
    sounds: Sounds
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    inbox: MemoryInbox = field(default_factory=MemoryInbox)
    ownership: MemoryOwnership = field(default_factory=lambda: MemoryOwnership("first"))
    servers: list[CallServer] = field(default_factory=list)
    logs: list[PartyLog] = field(default_factory=list)
    cores: MemoryCores = field(init=False)
    numbers: MemoryNumbers = field(
        default_factory=lambda: MemoryNumbers(anything=Route(ACCOUNT, None, Link(f"{APP}/"), None, None, None))
    )

    def __post_init__(self) -> None:
        self.cores = MemoryCores(self.clock, self.journal)

    async def start_server(
        self,
        name: str = "first",
        *,
        sleeper: Sleeper | None = None,
        session: Session | None = None,
        network: Network | None = None,
    ) -> CallServer:
        """One more server; with a `sleeper` it has a clock and a network of its own, with a `session` locks."""
        network = network or (sleeper.network if sleeper is not None else self.network)
        writer = Writer("internal", Hop("gateway.example"), self.sounds.folder)
        parts = Parts(
            id=name,
            nodes={NODE: NodeParts(network.connect, "ClueCon", writer)},
            clock=sleeper or self.clock,
            journal=self.journal,
            archive=self.journal,
            applications=self.pages,
            prompts=self.sounds,
            numbers=self.numbers,
            ownership=session or self.ownership,
            ownership_lost=session.lost if session is not None else asyncio.Event(),
            inbox=self.inbox,
            meters=Metrics(),
            public_url="https://api.example",
            cores=self.cores,
        )
        server = build_call_server(parts)
        self.servers.append(server)
        await server.start()
        await self.until(lambda: server.is_driving)
        return server

    async def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(10_000):
            if condition():
                return
            await self.clock.sleep(0.005)
        raise AssertionError("it never came to that")

    async def call(self, *script: Step, **callees: CalleePlan) -> PartyLog:
        """One caller dials and follows a script to the call's end; callees are known by number ("_1555…")."""
        plans = {name.replace("_", "+"): plan for name, plan in callees.items()}
        caller = CallerPlan("+15550001111", "+15550002222", script)
        self.logs = await Cast(self.node, Scenario((caller,), plans)).perform()
        await self.clock.sleep(0.5)
        return self.logs[0]

    @property
    def callbacks(self) -> list[CallBack]:
        """What is to be told with no answer wanted, of all calls."""
        given = [commands for journal in self.journal.commands.values() for commands in journal]
        return [command for commands in given for command in commands if isinstance(command, CallBack)]

    @property
    def timeline(self) -> list[str]:
        """The only call's timeline, without its times."""
        (entries,) = self.journal.entries.values()
        return [f"{moment.actor} {moment.text}" for moment in tell(entries)]


def kill(server: CallServer) -> None:
    """End everything of a server's at once, without a word to anybody."""
    tasks = [*server._tasks]
    for keeper in server.keepers.values():
        for call in {id(call): call for call in keeper.calls.values()}.values():
            call.is_dropped = True
            call.held.clear()
            tasks += [*call.tasks.values(), *call.questions.values()]
        for line in keeper.effects.lines.values():
            line.close()
        keeper.node.on_news, keeper.node.on_end = lambda _: None, lambda _: None
    for task in tasks:
        task.cancel()


@asynccontextmanager
async def platform(
    folder: Path,
    pages: Mapping[str, str | int],
    sounds: Sounds | None = None,
    journal: MemoryJournal | None = None,
    clock: VirtualClock | None = None,
    application: Pages | None = None,
    numbers: MemoryNumbers | None = None,
) -> AsyncIterator[Platform]:
    """A platform whose application has these pages; a server drives its calls."""
    clock = clock or VirtualClock()
    node = Node(clock)
    sounds = sounds or Sounds()
    sounds.folder = str(folder)
    here = Platform(
        clock, node, MemoryNetwork(node), application or Pages(pages), sounds, journal=journal or MemoryJournal()
    )
    here.numbers = numbers or here.numbers
    await here.start_server()
    try:
        yield here
    finally:
        for server in here.servers:
            await server.stop()
        await asyncio.sleep(0)
