"""A call server that keeps nothing: journals in memory, files in a folder that its user throws away.

Every number leads to one application. On which media node, and by which clock, its user says: simulation.py has the
emulator and a clock that jumps, rehearsal.py a real FreeSWITCH.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from controlplane.base import ids
from controlplane.base.clock import Clock
from controlplane.base.ids import AccountId
from controlplane.callserver.building import NodeParts, Parts, build_call_server
from controlplane.callserver.ports import Route
from controlplane.files.folder import Folder
from controlplane.files.shelf import DirectoryShelf, NodeFolders, Shelf
from controlplane.hooks.client import HookClient
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.verbs.documents import Link
from controlplane.wiring.applications import HttpApplications
from controlplane.wiring.memory import MemoryInbox, MemoryJournal, MemoryNumbers, MemoryOwnership
from controlplane.wiring.memory_losses import MemoryCores
from controlplane.wiring.places import prompts_folder, recordings_folder
from controlplane.wiring.prompts import NodePrompts, building_prompts

NODE = "emulator"
ACCOUNT = AccountId(ids.mint(ids.ACCOUNT, 0, b"simulation"))


class HoldableClock(Clock, Protocol):
    """A clock that can be kept from jumping meanwhile, if it is one that jumps."""

    def hold(self) -> AbstractContextManager[None]:
        """Keep it still while something is awaited that its event loop cannot see."""
        ...


@dataclass(frozen=True, slots=True)
class Lobby:
    """Where all calls lead. `token` signs the requests."""

    application: Link
    token: str
    fallback: Link | None = None


@dataclass(frozen=True, slots=True)
class InMemory:
    """What a running platform can be asked for."""

    journal: MemoryJournal
    inbox: MemoryInbox
    prompts: NodePrompts


@dataclass(frozen=True, slots=True)
class _OneToken:
    token: SecretStr

    async def of(self, account: AccountId) -> SecretStr:  # noqa: ARG002 - all are one here
        return self.token


def in_folder(settings: Settings, folder: Path) -> Settings:
    """The same settings with all files in a folder."""
    return settings.model_copy(update={"data": folder, "prompts": None, "recordings": None})


@asynccontextmanager
async def in_memory(
    settings: Settings,
    lobby: Lobby,
    clock: HoldableClock,
    node: Callable[[NodePrompts], NodeParts],
    *,
    name: str = NODE,
) -> AsyncIterator[InMemory]:
    """A call server on one node of this name, while the block runs."""
    journal, inbox = MemoryJournal(), MemoryInbox()
    async with AsyncExitStack() as stack:
        hooks = await stack.enter_async_context(HookClient(allow_private=True))
        prompts = await stack.enter_async_context(
            building_prompts(
                settings, hooks, shelves={name: _shelf(settings)}, clock=clock, hold=clock.hold, keeps_words=True
            )
        )
        parts = Parts(
            id="simulation",
            nodes={name: node(prompts)},
            clock=clock,
            journal=journal,
            archive=journal,
            applications=HttpApplications(hooks, _OneToken(SecretStr(lobby.token)), clock.hold),
            prompts=prompts,
            numbers=MemoryNumbers(anything=Route(ACCOUNT, None, lobby.application, lobby.fallback, None, None)),
            ownership=MemoryOwnership("simulation"),
            ownership_lost=asyncio.Event(),
            inbox=inbox,
            meters=Metrics(),
            public_url=settings.public_url,
            cores=MemoryCores(clock, journal),
        )
        server = build_call_server(parts)
        await server.start()
        stack.push_async_callback(server.stop)
        while not server.is_driving:
            await clock.sleep(0.01)
        yield InMemory(journal, inbox, prompts)


def _shelf(settings: Settings) -> Shelf:
    prompts, recordings = prompts_folder(settings), recordings_folder(settings)
    recordings.mkdir(parents=True, exist_ok=True)
    return DirectoryShelf(Folder(prompts), recordings, NodeFolders(str(prompts), str(recordings)))
