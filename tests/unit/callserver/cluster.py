"""Several media nodes of the emulator, whose answered legs others can bring up, and call servers for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from controlplane.base.errors import Unavailable
from controlplane.base.ids import LegId
from controlplane.calls.events import Event
from controlplane.calls.timeline import tell
from controlplane.callserver.building import NodeParts, Parts, build_call_server
from controlplane.callserver.losses import Core, CoreDatabases, Fencer, NoFencer
from controlplane.callserver.ports import Route
from controlplane.callserver.server import CallServer
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.recovery import LeftLeg
from controlplane.emulator.rules import Door
from controlplane.emulator.scenarios import CalleePlan, CallerPlan, Scenario, Step
from controlplane.esl.sip_uri import Hop
from controlplane.esl.variables import Variable
from controlplane.metrics.registry import Metrics
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Link
from controlplane.wiring.memory import MemoryInbox, MemoryJournal, MemoryNumbers
from controlplane.wiring.memory_losses import MemoryCores

from .peers import Locks, Session
from .platform import ACCOUNT, APP, Pages, Sounds, kill

_STAYS = {Variable.PARK_AFTER_BRIDGE.value: "true", Variable.PARK_ON_CANCEL.value: "true"}
_STALE = ("current_application", "current_application_data", "callplane_sent")


Told = Callable[[str, Core], Awaitable[None]]


async def _nothing(_step: str, _lost: Core) -> None:
    pass


@dataclass(slots=True)
class WatchedCores(MemoryCores):
    """`at` is told of each step before and after it."""

    at: Told = _nothing

    async def lead(self, core: Core, server: str) -> Core | None:
        led = await MemoryCores.lead(self, core, server)
        if led is not None:
            await self.at("led", core)
        return led

    async def adopt(self, core: Core, server: str, by: Core, legs: Collection[LegId]) -> bool:
        await self.at("adopting", core)
        is_ours = await MemoryCores.adopt(self, core, server, by, legs)
        await self.at("adopted", core)
        return is_ours

    async def settle(self, core: Core, server: str, legs: Collection[LegId]) -> bool:
        await self.at("settling", core)
        is_ours = await MemoryCores.settle(self, core, server, legs)
        await self.at("settled", core)
        return is_ours

    def leader_of(self, core: Core) -> str:
        return self._leaders[core.uuid]


@dataclass
class Tables:
    """The nodes' core databases. What is in `away` cannot be reached; `at` is told of each step before and after it."""

    nodes: Mapping[str, Node]
    away: set[str] = field(default_factory=set)
    at: Told = _nothing
    adopting: str = ""

    async def copy(self, lost: Core, to: Core, *, staying: Collection[LegId]) -> frozenset[LegId]:
        if self.away & {lost.node, to.node}:
            raise Unavailable(None)
        self.adopting = to.node
        await self.at("copying", lost)
        target = self._of(to.node)
        found = {leg: row for leg, row in self._of(lost.node).items() if row.core == lost.uuid or leg in lost.legs}
        for leg, row in found.items():
            variables = {name: value for name, value in row.variables.items() if name not in _STALE}
            stays = _STAYS if leg in staying and row.partner in found else {}
            target.setdefault(leg, replace(row, variables=variables | stays))
        await self.at("copied", lost)
        return frozenset(map(LegId, found))

    async def drop(self, lost: Core, legs: Collection[LegId]) -> None:
        if lost.node in self.away:
            raise Unavailable(None)
        await self.at("dropping", lost)
        table = self._of(lost.node)
        for leg in [leg for leg, row in table.items() if row.core == lost.uuid or leg in legs]:
            del table[leg]
        await self.at("dropped", lost)

    def _of(self, node: str) -> dict[str, LeftLeg]:
        table = self.nodes[node].left
        assert table is not None
        return table


@dataclass
class Cluster:
    """Nodes by name, and servers that drive all of them."""

    clock: VirtualClock
    nodes: dict[str, Node]
    networks: dict[str, MemoryNetwork]
    pages: Pages
    sounds: Sounds
    tables: Tables
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    locks: Locks = field(default_factory=Locks)
    ways: dict[str, dict[str, MemoryNetwork]] = field(default_factory=dict)  # each server's to the nodes
    servers: dict[str, CallServer] = field(default_factory=dict)
    casts: list[Cast] = field(default_factory=list)
    fencer: Fencer = field(default_factory=NoFencer)
    cores: WatchedCores = field(init=False)

    def __post_init__(self) -> None:
        self.cores = WatchedCores(self.clock, self.journal)

    async def start_server(self, name: str, *, databases: CoreDatabases | None) -> CallServer:
        session = Session(name, self.locks)
        networks = self.networks if not self.servers else {node: MemoryNetwork(self.nodes[node]) for node in self.nodes}
        self.ways[name] = networks
        writer = Writer("internal", Hop("gateway.example"), self.sounds.folder)
        parts = Parts(
            id=name,
            nodes={node: NodeParts(network.connect, "ClueCon", writer) for node, network in networks.items()},
            clock=self.clock,
            journal=self.journal,
            archive=self.journal,
            applications=self.pages,
            prompts=self.sounds,
            numbers=MemoryNumbers(anything=Route(ACCOUNT, None, Link(f"{APP}/"), None, None, None)),
            ownership=session,
            ownership_lost=session.lost,
            inbox=MemoryInbox(),
            meters=Metrics(),
            public_url="https://api.example",
            cores=self.cores,
            core_databases=databases,
            fencer=self.fencer,
        )
        server = self.servers[name] = build_call_server(parts)
        await server.start()
        await self.until(lambda: server.is_driving)
        return server

    def kill_server(self, name: str) -> None:
        """End a server without a word; its locks are free, and it leads nothing any more."""
        kill(self.servers.pop(name))
        self.cores.dead.add(name)
        self.locks.end(name)

    def call(self, node: str, *script: Step, **callees: CalleePlan) -> PartyLog:
        """Somebody calls a node; callees are known by number ("_1555…")."""
        plans = {name.replace("_", "+"): plan for name, plan in callees.items()}
        cast = Cast(self.nodes[node], Scenario((), plans))
        self.casts.append(cast)
        self.nodes[node].far_ends = cast.take_invite
        return cast.call(CallerPlan("+15550001111", "+15550002222", script))

    async def until(self, condition: Callable[[], bool], within_s: float = 60) -> None:
        until_s = self.clock.monotonic_s() + within_s
        while self.clock.monotonic_s() < until_s:
            if condition():
                return
            await self.clock.sleep(0.005)
        raise AssertionError(f"it never came to that: {[self.timeline(call) for call in self.journal.entries]}")

    def events(self, kind: type[Event]) -> list[Event]:
        """The journals' events of a kind."""
        return [
            one.event for entries in self.journal.entries.values() for one in entries if isinstance(one.event, kind)
        ]

    def timeline(self, call: str) -> list[str]:
        return [f"{moment.actor} {moment.text}" for moment in tell(self.journal.entries[call])]  # type: ignore[index]

    @property
    def verdicts(self) -> list[str]:
        """The last words about every call that is over."""
        told = [moment.text for moments in self.journal.timelines().values() for moment in moments]
        return [text.removeprefix("the call is over: ") for text in told if text.startswith("the call is over")]


@asynccontextmanager
async def cluster(
    folder: Path, pages: Mapping[str, str | int], *, nodes: tuple[str, ...] = ("n1", "n2"), adopts: bool = True,
    servers: tuple[str, ...] = ("first",), fencer: Fencer | None = None,
) -> AsyncIterator[Cluster]:  # fmt: skip
    """Nodes and servers, while the block runs; nothing may be left on any node at the end."""
    clock = VirtualClock()
    made = {name: Node(clock, seed=seed, name=name, door=Door("inbound")) for seed, name in enumerate(nodes)}
    for node in made.values():
        node.left = {}
    sounds = Sounds()
    sounds.folder = str(folder)
    here = Cluster(
        clock, made, {name: MemoryNetwork(node) for name, node in made.items()}, Pages(pages), sounds, Tables(made)
    )
    here.fencer = fencer or NoFencer()
    for name in servers:
        await here.start_server(name, databases=here.tables if adopts else None)
    try:
        yield here
    finally:
        for server in here.servers.values():
            await server.stop()
        await asyncio.sleep(0)
