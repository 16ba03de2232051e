"""Nodes that die: found out, declared lost, settled, and their calls gone on with.

A node is lost when it answers with another Core-UUID (it was restarted; custody.py), or when no call server has
reached it for long. Where another can go on with its calls every second counts: then it is lost as well when its
machine refuses links for a moment, as it does when FreeSWITCH is gone. One that is lost and lives all the same is not
driven again until it is restarted.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.callserver.adopting import Adopting
from controlplane.callserver.inheriting import end_lost, expect_moved, leave, take_moved
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.losses import Core, Cores
from controlplane.callserver.pace import wait_for

log = logging.getLogger(__name__)

REFUSED_S = 0.15  # between the first and the last refusal: not one that came as a socket was opened anew
ENTER_S = 2.0  # between saying that a node is there
UNSEEN_S = 3 * ENTER_S
MOST_LATE_S = 1.0  # how long after a node's death somebody may still say that it was there
IDLE_S = 1.0
HURRY_S = 0.05
HURRIED_FOR_S = 20.0  # after a node went away


@dataclass(slots=True)
class Failover:
    """One call server's. `lost_after_s`: how long nobody may have reached a node before it counts as dead."""

    keepers: Mapping[str, Keeper]
    cores: Cores
    adopting: Adopting
    clock: Clock
    lost_after_s: float
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)
    _stirred_s: float = -HURRIED_FOR_S
    _entered_s: dict[str, float] = field(default_factory=dict)
    _last: dict[str, str] = field(default_factory=dict)  # the run of each node that what we saw of it is about
    _followed: set[tuple[str, str, str]] = field(default_factory=set)  # consequences that we drew of lost cores
    _ended_s: dict[str, float] = field(default_factory=dict)
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _broken: asyncio.Task[None] | None = None
    _settling: asyncio.Task[None] | None = None

    def stir(self) -> None:
        """A node went away, or came back: look at once, and often for a while."""
        self._stirred_s = self.clock.monotonic_s()
        self._stirred.set()

    async def keep(self) -> None:
        """Look after the nodes, for ever."""
        try:
            while True:
                self._stirred.clear()
                try:
                    await self._look()
                except Unavailable as error:
                    log.info("cores_unknown", extra={"problem": str(error)})
                await wait_for(self._stirred, self.clock, self._pause_s())
        finally:
            for task in (*self._under_way, self._settling):
                if task is not None:
                    task.cancel()

    def _pause_s(self) -> float:
        now_s = self.clock.monotonic_s()
        if now_s - self._stirred_s >= HURRIED_FOR_S:
            return IDLE_S
        refused_s = (keeper.custody.reach.refused_since_s for keeper in self.keepers.values())
        left_s = (since_s + REFUSED_S - now_s for since_s in refused_s if since_s is not None)
        return min([HURRY_S, *(some_s for some_s in left_s if some_s > 0)])

    async def _look(self) -> None:
        if self._broken is not None:
            self._broken.result()  # a defect of ours ends the loop
        known = await self.cores.known()
        for keeper in self.keepers.values():
            await self._look_at(keeper, [core for core in known if core.node == keeper.node.name])
        if any(core.is_lost and not core.is_settled for core in known):
            self._stirred_s = self.clock.monotonic_s()
            self._settle(known)
        self._follow(known)

    async def _look_at(self, keeper: Keeper, cores: Sequence[Core]) -> None:
        custody, now_s, name = keeper.custody, self.clock.monotonic_s(), keeper.node.name
        last = cores[-1] if cores else None
        if last is not None and self._last.get(name) != last.uuid:
            self._last[name] = last.uuid
            custody.reach.begin_anew(now_s)  # it was an earlier run that we could not reach
            custody.answers_others.set()
        if not self.adopting.pulse.is_sure:
            custody.reach.begin_anew(now_s)
        custody.is_lost = last is not None and last.is_lost
        if keeper.node.is_up:
            if any(core.is_lost and core.uuid == keeper.node.core_uuid for core in cores):
                keeper.node.abort("declared lost")
            elif now_s - self._entered_s.get(name, -ENTER_S) >= ENTER_S:
                self._entered_s[name] = now_s
                await self.cores.enter(name, keeper.node.core_uuid)
            return
        if last is None or last.is_lost:
            return
        unseen_s = self._unseen_s(keeper, last, now_s)
        if unseen_s is not None and await self.cores.declare_lost(name, last.uuid, unseen_s=unseen_s):
            log.error("node_declared_lost", extra={"node": name, "core": last.uuid})
            self.stir()

    def _unseen_s(self, keeper: Keeper, last: Core, now_s: float) -> float | None:
        """How long nobody must have seen a run to call it lost, by what we know of it ourselves; None: it may live.

        A refusal tells most where we had links to this very run. It may be only us who are refused.
        """
        reach = keeper.custody.reach
        refused_s = now_s - reach.refused_since_s if reach.refused_since_s is not None else 0.0
        if refused_s >= REFUSED_S and self.adopting.databases is not None:
            had_links = keeper.custody.core == last.uuid
            return min(refused_s, MOST_LATE_S) if had_links else UNSEEN_S
        if reach.down_since_s is not None and now_s - reach.down_since_s >= self.lost_after_s:
            return self.lost_after_s
        return None

    def _settle(self, known: Sequence[Core]) -> None:
        """Beside looking: much of what others do for a lost core begins before it is settled."""
        if self._settling is not None:
            if not self._settling.done():
                return
            self._settling.result()  # a defect of ours ends the loop
        self._settling = asyncio.create_task(self._settle_all(known))

    async def _settle_all(self, known: Sequence[Core]) -> None:
        for core in known:
            if not core.is_lost or core.is_settled:
                continue
            try:
                if await self.adopting.settle(core, known):
                    self.stir()
            except Unavailable as error:
                log.info("node_not_settled", extra={"node": core.node, "problem": str(error)})

    # Consequences

    def _follow(self, known: Sequence[Core]) -> None:
        for core in known:
            if not core.is_lost:
                continue
            if not core.is_settled:
                self._once(core, leave, core.node)
                self._once(core, expect_moved, core.adopting_node)
                continue
            self._once(core, take_moved, core.adopting_node)
            if not any(other.node == core.node and other.is_lost and not other.is_settled for other in known):
                self._end_lost(core)  # a later run, lost as well, has calls that can go on yet

    def _once(self, core: Core, work: Callable[[Keeper], Coroutine[Any, Any, None]], node: str) -> None:
        keeper, done = self.keepers.get(node), (core.uuid, core.adopting_core, work.__name__)
        if keeper is not None and done not in self._followed:
            self._followed.add(done)
            self._start(partial(work, keeper), partial(self._followed.discard, done))

    def _end_lost(self, core: Core) -> None:
        """Now and then: what was written late is found, too."""
        now_s, keeper = self.clock.monotonic_s(), self.keepers.get(core.node)
        is_away = keeper is not None and keeper.custody.is_lost and not keeper.node.is_up
        if keeper is not None and is_away and now_s - self._ended_s.get(core.node, -IDLE_S) >= IDLE_S:
            self._ended_s[core.node] = now_s
            self._start(partial(end_lost, keeper))

    def _start(
        self, work: Callable[[], Coroutine[Any, Any, None]], failed: Callable[[], object] = lambda: None
    ) -> None:
        """Beside everything else: it waits for whoever opens the node's links, who may wait for us."""

        async def run() -> None:
            try:
                await work()
            except Unavailable as error:
                log.info("node_not_followed", extra={"problem": str(error)})
                failed()

        task = asyncio.create_task(run())
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._broken = task
            self.stir()
