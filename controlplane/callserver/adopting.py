"""A lost core's legs brought up on another node, by whichever call server leads that.

Each step may be interrupted and done again, by another server: what was done is on record before the next begins.

    lost ──► fenced ──► copied (what it left is in the adopting node's database, too) ──► put on record ──► dropped
         ──► brought up ──► settled

If the adopting node is lost meanwhile, that is settled first; what was handed over to it goes on with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.base.ids import LegId
from controlplane.callserver.losses import Core, CoreDatabases, Cores, Fencer
from controlplane.callserver.pulse import Pulse
from controlplane.switch.node import Node
from controlplane.switch.recovering import living, on_their_way, recover_legs

log = logging.getLogger(__name__)

GIVE_UP_S = 10.0  # nobody listens longer to nothing; after that the calls are over
SETTLE_S = 2.0  # how long legs may take from being brought up to being parked
LOOK_S = 0.1  # each look asks the node thrice for every leg on its way, which has enough to do then
FENCE_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node that might go on with another's legs."""

    core: Core
    channels: int


def choose(lost: Core, candidates: Collection[Candidate]) -> Core | None:
    """The node with the least to do; the lost one's own next run only if there is no other. None: wait."""
    ordered = sorted(candidates, key=lambda one: (one.core.node == lost.node, one.channels, one.core.node))
    return ordered[0].core if ordered else None


@dataclass(slots=True)
class Stopwatch:
    """How long each of several steps took."""

    clock: Clock
    marks_ms: dict[str, int] = field(default_factory=dict)
    _since_s: float = 0.0

    def __post_init__(self) -> None:
        self._since_s = self.clock.monotonic_s()

    def mark(self, name: str) -> None:
        """This step is over."""
        since_s, self._since_s = self._since_s, self.clock.monotonic_s()
        self.marks_ms[name] = round(1000 * (self._since_s - since_s))


@dataclass(slots=True)
class Adopting:
    """One call server's part in it. `databases` None: nothing is brought up, and calls end with their node."""

    server: str
    nodes: Mapping[str, Node]
    profile: str
    cores: Cores
    databases: CoreDatabases | None
    fencer: Fencer
    clock: Clock
    pulse: Pulse
    may_adopt: Callable[[str], bool]  # whether a node is not to be spared
    given: Callable[[], None] = lambda: None  # told when calls are another node's
    _fenced: set[str] = field(default_factory=set)
    _tried_s: dict[str, float] = field(default_factory=dict)  # to fence

    async def settle(self, lost: Core, known: Sequence[Core]) -> bool:
        """Do what can be done now for a lost core; answers whether it is settled. Raises Unavailable, LinkLost."""
        led = await self.cores.lead(lost, self.server)
        if led is None:
            return False
        self._make_sure()
        if self.databases is None:
            return await self._end(led, frozenset())
        if led.lost_s is not None and led.lost_s > GIVE_UP_S:
            log.error("node_not_adopted", extra={"node": led.node, "core": led.uuid})
            is_settled = await self._end(led, frozenset())
            with suppress(Unavailable):  # whoever brings others up there does not bring these up
                await self.databases.drop(led, ())
            return is_settled
        if await self._is_fenced(led):
            adopting = await self._adopting(led, known)
            if adopting is not None:
                return await self._bring_up(self.databases, led, adopting, known)
        return False

    async def _is_fenced(self, lost: Core) -> bool:
        now_s = self.clock.monotonic_s()
        if lost.uuid in self._fenced:
            return True
        if now_s - self._tried_s.get(lost.uuid, -FENCE_AGAIN_S) < FENCE_AGAIN_S:
            return False
        self._tried_s[lost.uuid] = now_s
        if not await self.fencer.fence(lost.node):
            log.warning("node_not_fenced", extra={"node": lost.node})
            return False
        self._fenced.add(lost.uuid)
        return True

    async def _adopting(self, lost: Core, known: Sequence[Core]) -> Core | None:
        """Who goes on: whoever has begun to, or whoever goes on for that one; None: not yet to be said."""
        by_uuid = {core.uuid: core for core in known}
        if lost.adopting_core:
            begun = by_uuid.get(lost.adopting_core)
            if begun is not None and not begun.is_lost:
                return begun if self._runs(begun) else None
            if begun is not None and not begun.is_settled:
                return None
            if begun is not None and begun.adopting_core in by_uuid:
                return by_uuid[begun.adopting_core]
        candidates = []
        for core in known:
            if not core.is_lost and self._runs(core) and (core.node == lost.node or self.may_adopt(core.node)):
                candidates.append(Candidate(core, len(await self.nodes[core.node].channels())))
        return choose(lost, candidates)

    def _runs(self, core: Core) -> bool:
        node = self.nodes.get(core.node)
        return node is not None and node.is_up and node.core_uuid == core.uuid

    async def _bring_up(self, databases: CoreDatabases, lost: Core, adopting: Core, known: Sequence[Core]) -> bool:
        took = Stopwatch(self.clock)
        brought = {leg for core in known if core.adopting_core == lost.uuid for leg in core.legs}
        staying = await self.cores.a_legs(lost.node)
        found = await databases.copy(replace(lost, legs=lost.legs | brought), adopting, staying=staying)
        legs = found | lost.legs
        took.mark("copied_ms")
        self._make_sure()
        if not await self.cores.adopt(lost, self.server, adopting, legs):
            return False
        self.given()
        took.mark("recorded_ms")
        if adopting.node != lost.node:
            await databases.drop(lost, legs)
        took.mark("dropped_ms")
        node = self.nodes[adopting.node]
        await recover_legs(node, self.profile)
        took.mark("recovered_ms")
        up = await self._parked(node, legs)
        took.mark("parked_ms")
        told = {"node": lost.node, "adopting": adopting.node, "legs": len(legs), "up": len(up)}
        log.warning("node_adopted", extra=told | took.marks_ms)
        return await self._end(lost, up)

    async def _parked(self, node: Node, legs: Collection[LegId]) -> frozenset[LegId]:
        """The legs that came up, when they can be spoken to."""
        until_s = self.clock.monotonic_s() + SETTLE_S
        up = await living(node, legs)
        coming = await on_their_way(node, up)
        while coming and self.clock.monotonic_s() < until_s:
            await self.clock.sleep(LOOK_S)
            coming = await on_their_way(node, await living(node, coming))
        return up

    async def _end(self, lost: Core, up: Collection[LegId]) -> bool:
        self._make_sure()
        is_settled = await self.cores.settle(lost, self.server, up)
        if is_settled:
            log.warning("node_settled", extra={"node": lost.node, "core": lost.uuid, "after_s": lost.lost_s})
        return is_settled

    def _make_sure(self) -> None:
        """A server that slept may have been followed by another meanwhile."""
        if not self.pulse.is_sure:
            raise Unavailable("It is not known what became of this while we slept.")
