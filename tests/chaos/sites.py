"""The site of the next run: the last one, unless its ledger did not balance."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.cli.freeswitch import find_freeswitch
from tests.chaos.freeswitch_node import FreeswitchNode
from tests.chaos.nodes import ChaosNode, EmulatorNode
from tests.chaos.site import Site, running_site


def freeswitch_for(node: str) -> Path | None:
    """The program for `auto` or `freeswitch`, None for the emulator. Raises SystemExit if it is asked for in vain."""
    if node == "emulator":
        return None
    program = find_freeswitch()
    if program is not None and shutil.which("sipp") is not None:
        return program
    if node == "freeswitch":
        raise SystemExit("needs a freeswitch on the PATH (or in CALLPLANE_FREESWITCH), and sipp")
    return None


@dataclass(slots=True)
class Sites:
    """Sites below a folder, one at a time, named after a lane."""

    folder: Path
    lane: str
    freeswitch: Path | None
    starting: asyncio.Lock  # of all lanes: nodes that start at the same time may choose the same ports
    _count: int = 0
    _stack: AsyncExitStack | None = None
    _site: Site | None = field(default=None)

    @property
    def kind(self) -> str:
        """What their media node is."""
        return "emulator" if self.freeswitch is None else "freeswitch"

    async def site(self) -> Site:
        """The one that runs, or a new one."""
        if self._site is None:
            self._count += 1
            folder = self.folder / f"{self.lane}-{self._count}"
            folder.mkdir()
            self._stack = AsyncExitStack()
            async with self.starting:
                self._site = await self._stack.enter_async_context(running_site(folder, self._node(folder)))
        return self._site

    async def leave(self) -> None:
        """Let the site go: nobody knows what is left in it."""
        stack, self._site, self._stack = self._stack, None, None
        if stack is not None:
            await stack.aclose()

    def _node(self, folder: Path) -> ChaosNode:
        if self.freeswitch is None:
            return EmulatorNode(folder / "node")
        return FreeswitchNode(folder / "node", folder, self.freeswitch)
