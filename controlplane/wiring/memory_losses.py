"""What call servers know of lost media nodes, in memory: for the simulator and for tests without a database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from controlplane.base.clock import Clock
from controlplane.base.ids import LegId
from controlplane.callserver.losses import Core
from controlplane.wiring.memory import MemoryJournal


@dataclass(slots=True)
class MemoryCores:
    """One set for all servers; `journal` has the calls that move. `dead` are servers that lead nothing any more."""

    clock: Clock
    journal: MemoryJournal
    cores: list[Core] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    _seen_s: dict[str, float] = field(default_factory=dict)
    _lost_s: dict[str, float] = field(default_factory=dict)
    _leaders: dict[str, str] = field(default_factory=dict)

    async def enter(self, node: str, core: str) -> bool:
        known = self._find(core)
        if known is not None and known.is_lost:
            return False
        if known is None:
            self.cores.append(Core(node, core))
        self._seen_s[core] = self.clock.monotonic_s()
        for other in self.cores:
            if other.node == node and other.uuid != core:
                self._lose(other)
        return True

    async def known(self) -> Sequence[Core]:
        now_s = self.clock.monotonic_s()
        return [replace(core, lost_s=now_s - self._lost_s[core.uuid]) if core.is_lost else core for core in self.cores]

    async def declare_lost(self, node: str, core: str, *, unseen_s: float) -> bool:  # noqa: ARG002 - a UUID tells
        known = self._find(core)
        if known is None or known.is_lost or self.clock.monotonic_s() - self._seen_s[core] < unseen_s:
            return False
        self._lose(known)
        return True

    async def lead(self, core: Core, server: str) -> Core | None:
        leader = self._leaders.get(core.uuid, server)
        known = next((one for one in await self.known() if one.uuid == core.uuid), None)
        if known is None or known.is_settled or (leader != server and leader not in self.dead):
            return None
        self._leaders[core.uuid] = server
        return known

    async def a_legs(self, node: str) -> frozenset[LegId]:
        return self.journal.a_legs_of(node)

    async def adopt(self, core: Core, server: str, by: Core, legs: Collection[LegId]) -> bool:
        known = self._led(core, server)
        if known is None:
            return False
        self._put(replace(known, adopting_node=by.node, adopting_core=by.uuid, legs=known.legs | frozenset(legs)))
        self.journal.move(core.node, by.node, frozenset(legs) - known.legs)
        return True

    async def settle(self, core: Core, server: str, legs: Collection[LegId]) -> bool:
        known = self._led(core, server)
        if known is None:
            return False
        self._put(replace(known, is_settled=True))
        if known.adopting_node not in ("", core.node):
            self.journal.move(core.node, known.adopting_node, legs)
        return True

    def _led(self, core: Core, server: str) -> Core | None:
        known = self._find(core.uuid)
        is_ours = known is not None and not known.is_settled and self._leaders.get(core.uuid) == server
        return known if is_ours else None

    def _find(self, uuid: str) -> Core | None:
        return next((core for core in self.cores if core.uuid == uuid), None)

    def _lose(self, core: Core) -> None:
        if not core.is_lost:
            self._lost_s[core.uuid] = self.clock.monotonic_s()
            self._put(replace(core, lost_s=0.0))

    def _put(self, core: Core) -> None:
        self.cores = [core if one.uuid == core.uuid else one for one in self.cores]
