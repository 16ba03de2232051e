"""Calls without telephones: the call server on the emulator, in one process, on a clock that jumps.

The application is asked over real HTTP; while it thinks the clock stands still. Nothing is kept: journals are in
memory, prompts in a temporary folder.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from controlplane.base import ids
from controlplane.base.ids import AccountId
from controlplane.calls.timeline import Moment, tell
from controlplane.callserver.building import NodeParts, Parts, build_call_server
from controlplane.callserver.ports import Route
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast, PartyLog
from controlplane.emulator.rules import LinkRules
from controlplane.emulator.scenarios import Scenario
from controlplane.esl.sip_uri import Hop
from controlplane.files.folder import Folder
from controlplane.files.shelf import DirectoryShelf, NodeFolders, Shelf
from controlplane.hooks.client import HookClient
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Link
from controlplane.wiring.applications import HttpApplications
from controlplane.wiring.memory import MemoryInbox, MemoryJournal, MemoryNumbers, MemoryOwnership
from controlplane.wiring.places import prompts_folder, recordings_folder
from controlplane.wiring.prompts import NodePrompts, building_prompts

NODE = "emulator"
PASSWORD = "emulator"  # noqa: S105 - nobody but this process can reach it
ACCOUNT = AccountId(ids.mint(ids.ACCOUNT, 0, b"simulation"))


@dataclass(frozen=True, slots=True)
class OneToken:
    """Signs for every account with one token."""

    token: SecretStr

    async def of(self, account: AccountId) -> SecretStr:  # noqa: ARG002 - all are one here
        return self.token


@dataclass(slots=True)
class Simulation:
    """A platform in memory. `perform` lets a scenario's callers call; the rest is read afterwards."""

    clock: VirtualClock
    node: Node
    network: MemoryNetwork
    journal: MemoryJournal
    inbox: MemoryInbox
    prompts: NodePrompts
    logs: list[PartyLog] = field(default_factory=list)

    async def perform(self, scenario: Scenario) -> list[PartyLog]:
        """Let everybody of a scenario act until all calls are over; answers what each party met with."""
        cast = Cast(self.node, scenario, self.prompts.describe)
        self.logs = await cast.perform()
        await self.clock.sleep(1)
        return self.logs

    def timelines(self) -> dict[str, list[Moment]]:
        """Every call's timeline, in the order they began."""
        return {call: tell(entries) for call, entries in self.journal.entries.items()}


@asynccontextmanager
async def simulating(
    settings: Settings, application: Link, *, token: str, fallback: Link | None = None
) -> AsyncIterator[Simulation]:
    """A platform on which every number leads to one application, while the block runs."""
    clock = VirtualClock()
    node = Node(clock)
    network = MemoryNetwork(node, LinkRules(password=PASSWORD))
    journal, inbox = MemoryJournal(), MemoryInbox()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="callplane-")))
        settings = settings.model_copy(update={"data": folder, "prompts": None, "recordings": None})
        hooks = await stack.enter_async_context(HookClient(allow_private=True))
        prompts = await stack.enter_async_context(
            building_prompts(settings, hooks, shelves=_shelf(settings), clock=clock, hold=clock.hold, keeps_words=True)
        )
        parts = Parts(
            id="simulation",
            nodes={NODE: _node(network, prompts)},
            clock=clock,
            journal=journal,
            archive=journal,
            applications=HttpApplications(hooks, OneToken(SecretStr(token)), clock.hold),
            prompts=prompts,
            numbers=MemoryNumbers(anything=Route(ACCOUNT, None, application, fallback, None, None)),
            ownership=MemoryOwnership("simulation"),
            ownership_lost=asyncio.Event(),
            inbox=inbox,
            meters=Metrics(),
            public_url=settings.public_url,
        )
        server = build_call_server(parts)
        await server.start()
        stack.push_async_callback(server.stop)
        while not server.is_driving:
            await clock.sleep(0.01)
        yield Simulation(clock, node, network, journal, inbox, prompts)


def _shelf(settings: Settings) -> dict[str, Shelf]:
    prompts, recordings = prompts_folder(settings), recordings_folder(settings)
    recordings.mkdir(parents=True, exist_ok=True)
    return {NODE: DirectoryShelf(Folder(prompts), recordings, NodeFolders(str(prompts), str(recordings)))}


def _node(network: MemoryNetwork, prompts: NodePrompts) -> NodeParts:
    gateway = Hop("gateway.invalid")
    return NodeParts(network.connect, PASSWORD, Writer("internal", gateway, prompts.recordings_of(NODE)))


def problems(logs: Sequence[PartyLog]) -> list[str]:
    """What the parties' scripts expected in vain."""
    return [f"{log.party}: {problem}" for log in logs for problem in log.problems]
