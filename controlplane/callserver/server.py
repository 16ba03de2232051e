"""The call server: its loops, and the links to its nodes.

None of the loops ends by itself. Which shards are driven is `balancing.py`'s, what others want `intake.py`'s business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.callserver.balancing import Balance
from controlplane.callserver.crowd import Crowd
from controlplane.callserver.endless import insist_on
from controlplane.callserver.failover import Failover
from controlplane.callserver.gate import Gatekeeper
from controlplane.callserver.intake import Intake
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.pace import wait_for
from controlplane.callserver.ports import Ownership
from controlplane.callserver.pulse import BEAT_S, Pulse
from controlplane.switch.link import LinkLost

log = logging.getLogger(__name__)

RECONNECT_S = (0.05, 0.1, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
STEADY_S = 1.0  # links that were open for so long are opened again at once: whether the node refuses tells if it died
KICK_S = 0.005


@dataclass(slots=True)
class CallServer:
    """Drives the calls of some shards on every node. Start it, and stop it when done; calls outlive it."""

    id: str
    keepers: Mapping[str, Keeper]
    ownership: Ownership
    balance: Balance
    intake: Intake
    gatekeeper: Gatekeeper
    crowd: Crowd
    failover: Failover
    clock: Clock
    pulse: Pulse
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Begin; returns when the first shards are sought. Raises Unavailable if the database is away."""
        await self.ownership.open()
        self.balance.wait_for_others(await self.ownership.missing_servers())
        self.pulse.go_on()
        self._run(self._beat())
        for keeper in self.keepers.values():
            self._run(self._keep_open(keeper))
            self._run(self._kick(keeper))
            self._run(keeper.effects.ringing.keep())
            self._run(self._sweep(keeper))
        self._run(self.gatekeeper.keep())
        self._run(self.crowd.keep())
        self._run(self.balance.keep())
        self._run(self.failover.keep())
        self._run(self.intake.take_queued())
        self._run(self.intake.take_requests())

    async def stop(self) -> None:
        """Let go of everything: the next server goes on with the calls."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for keeper in self.keepers.values():
            await keeper.give(keeper.shards)
            keeper.effects.questions.close()
            await keeper.node.close()
        await self.ownership.close()

    def queue_changed(self) -> None:
        """Calls wait to be placed."""
        self.intake.queue_changed()

    def requests_changed(self) -> None:
        """The API wants something of a live call."""
        self.intake.requests_changed()

    def cores_changed(self) -> None:
        """A media node was lost, or another goes on with its calls."""
        self.failover.stir()

    def count_calls(self) -> int:
        """How many calls are driven."""
        return sum(len(keeper.calls_of(keeper.shards)) for keeper in self.keepers.values())

    @property
    def is_driving(self) -> bool:
        """Say whether calls of every node's shards that we hold are served; nodes that are lost have none."""
        return any(keeper.shards for keeper in self.keepers.values()) and all(
            keeper.node.is_up or keeper.custody.is_lost for keeper in self.keepers.values()
        )

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name=getattr(work, "__qualname__", "loop"))
        insist_on(task, self.broken.set)  # a server without one of its loops would do harm
        self._tasks.append(task)

    async def _beat(self) -> None:
        while True:
            self.pulse.beat()
            await self.clock.sleep(BEAT_S)

    async def _keep_open(self, keeper: Keeper) -> None:
        attempt = 0
        ended = asyncio.Event()

        def on_end(why: str) -> None:
            log.warning("node_lost", extra={"node": keeper.node.name, "why": why})
            keeper.lost()
            keeper.custody.reach.is_down(self.clock.monotonic_s())
            self.failover.stir()
            ended.set()

        keeper.node.on_end = on_end
        while True:
            ended.clear()
            is_steady = False
            try:
                await keeper.reopen()
                attempt, opened_s = 0, self.clock.monotonic_s()
                keeper.custody.reach.is_up()
                self._links(keeper, is_up=True)
                log.info("node_up", extra={"node": keeper.node.name, "core": keeper.node.core_uuid})
                self.intake.look()
                await ended.wait()
                self._links(keeper, is_up=False)
                is_steady = self.clock.monotonic_s() - opened_s >= STEADY_S
            except (LinkLost, Unavailable) as error:
                keeper.custody.reach.is_down(self.clock.monotonic_s(), error)
                log.info("node_away", extra={"node": keeper.node.name, "problem": str(error)})
            keeper.custody.answers_others.clear()
            if is_steady:
                continue
            pause_s = RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)]
            await wait_for(keeper.custody.answers_others, self.clock, pause_s)
            attempt += 1

    def _links(self, keeper: Keeper, *, is_up: bool) -> None:
        meters, node = keeper.effects.meters, keeper.node.name
        tell = meters.link_up if is_up else meters.link_down
        tell(node, "event")
        tell(node, "command")

    async def _kick(self, keeper: Keeper) -> None:
        """While calls live, have the node send events at once instead of every 20 ms."""
        while True:
            await self.clock.sleep(KICK_S if keeper.calls else 4 * KICK_S)
            if keeper.node.is_up and keeper.shards:
                keeper.node.kick()

    async def _sweep(self, keeper: Keeper) -> None:
        """Look what no event told, now and then."""
        looked_s = 0.0
        while True:
            await keeper.effects.pace.wait(self.clock, looked_s)
            began_s = self.clock.monotonic_s()
            keeper.effects.meters.esl_events_received(keeper.node.name, keeper.node.take_count())
            if keeper.node.is_up and keeper.shards:
                with suppress(LinkLost):
                    await keeper.sweep()
            looked_s = self.clock.monotonic_s() - began_s
