"""Which run of FreeSWITCH a node's calls are driven on, and how long the node has been out of reach."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.base.ids import LegId
from controlplane.callserver.losses import Cores
from controlplane.switch.link import LinkLost, LinkRefused
from controlplane.switch.node import Node
from controlplane.switch.recovering import shut_out

log = logging.getLogger(__name__)

SETTLED_WITHIN_S = 15.0  # longer than a lost run is tried to be adopted (adopting.py, GIVE_UP_S)
LOOK_S = 0.05


@dataclass(slots=True)
class Reach:
    """Since when a node is out of reach, and since when its machine refuses; None: it is not so. Monotonic seconds."""

    down_since_s: float | None = None
    refused_since_s: float | None = None

    def is_up(self) -> None:
        """The links are open."""
        self.down_since_s = self.refused_since_s = None

    def is_down(self, now_s: float, why: Exception | None = None) -> None:
        """The links ended, or could not be opened."""
        if self.down_since_s is None:
            self.down_since_s = now_s
        if not isinstance(why, LinkRefused):
            self.refused_since_s = None
        elif self.refused_since_s is None:
            self.refused_since_s = now_s

    def begin_anew(self, now_s: float) -> None:
        """What was so up to now says nothing: another run answers somebody else, or we were not there ourselves."""
        if self.down_since_s is not None:
            self.down_since_s, self.refused_since_s = now_s, None


@dataclass(slots=True)
class Custody:
    """Of one node. `core` is the run whose calls are driven, "" before there is one."""

    node: Node
    cores: Cores
    clock: Clock
    core: str = ""
    is_lost: bool = False  # the node's last run was declared lost
    reach: Reach = field(default_factory=Reach)
    answers_others: asyncio.Event = field(default_factory=asyncio.Event)  # so it is worth trying at once

    async def confirm(self) -> bool:
        """The links are open: make sure that this run may be driven; answers whether another was driven before.

        Waits until all that earlier runs had is settled. Raises LinkLost if this one was declared lost: it is told to
        end what it has.
        """
        core = self.node.core_uuid
        is_another, self.core = self.core not in ("", core), core
        try:
            if not await self.cores.enter(self.node.name, core):
                log.error("fenced_node_is_back", extra={"node": self.node.name, "core": core})
                await shut_out(self.node)
                self.node.abort("declared lost")
                raise LinkLost("This run of the media node was declared lost: restart it.")
            await self._wait_for_earlier_runs()
        except LinkLost:
            raise
        except Unavailable as error:
            log.warning("cores_unknown", extra={"node": self.node.name, "problem": str(error)})
            return False
        return is_another

    async def given(self) -> tuple[frozenset[LegId], frozenset[LegId]]:
        """Legs that this node was given of others, and those of them that may not be up yet. Raises Unavailable."""
        cores = [core for core in await self.cores.known() if core.adopting_node == self.node.name]
        coming = (core.legs for core in cores if not core.is_settled)
        return frozenset().union(*(core.legs for core in cores)), frozenset().union(*coming)

    async def _wait_for_earlier_runs(self) -> None:
        until_s = self.clock.monotonic_s() + SETTLED_WITHIN_S
        while self.clock.monotonic_s() < until_s:
            known = await self.cores.known()
            if not any(one.node == self.node.name and one.is_lost and not one.is_settled for one in known):
                return
            await self.clock.sleep(LOOK_S)
