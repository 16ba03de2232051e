"""The call server: which shards of which nodes it drives, and everything that comes to it from outside the nodes.

Shards are held by locks that die with us. A server takes what is free: at once while it holds less than its fair share,
a moment later otherwise, so that whoever has fewer comes first; what it holds above its share it gives back. A shard is
driven as soon as it is held and its node was asked what lives there.

When the database is away the locks cannot be looked at; nobody else can take them then either, so we go on with what we
hold. When it is back, what we still can take of it stays ours, the rest is somebody else's and we let go of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.base.ids import leg_of_call
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.ports import Inbox, Ownership
from controlplane.callserver.pulse import BEAT_S, SURE_S, Pulse
from controlplane.switch.link import LinkLost

log = logging.getLogger(__name__)

SHARDS = tuple(range(16))
POLL_S = 0.05
AWAY_S = 0.5  # between looks while the database is away
PATIENCE_S = 0.1  # how long a server with its fair share leaves free shards to others
YIELD_S = 2.0  # after giving shards back, for others to take them
SWEEP_S = 15.0
QUEUE_POLL_S = 0.1
QUEUE_IDLE_S = 2.0
RECONNECT_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
KICK_S = 0.005


@dataclass(slots=True)
class CallServer:
    """Drives the calls of some shards on every node. Start it, and stop it when done; calls outlive it."""

    id: str
    keepers: Mapping[str, Keeper]
    ownership: Ownership
    inbox: Inbox
    clock: Clock
    pulse: Pulse
    ownership_lost: asyncio.Event  # set when the session with our locks is found gone
    on_state: Callable[[str], None] = lambda _: None
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _queue: asyncio.Event = field(default_factory=asyncio.Event)
    _requests: asyncio.Event = field(default_factory=asyncio.Event)
    _placing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _yielding_until_s: float = 0.0

    async def start(self) -> None:
        """Begin; returns when the first shards are sought. Raises Unavailable if the database is away."""
        await self.ownership.open()
        self.pulse.go_on()
        self._run(self._beat())
        for keeper in self.keepers.values():
            self._run(self._keep_open(keeper))
            self._run(self._kick(keeper))
        self._run(self._balance())
        self._run(self._take_queued())
        self._run(self._take_requests())
        self._run(self._sweep())

    async def stop(self) -> None:
        """Let go of everything: the next server goes on with the calls."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for keeper in self.keepers.values():
            await keeper.give(keeper.shards)
            keeper.effects.close()
            await keeper.node.close()
        await self.ownership.close()

    # What others tell

    def queue_changed(self) -> None:
        """Calls wait to be placed."""
        self._queue.set()

    def requests_changed(self) -> None:
        """The API wants something of a live call."""
        self._requests.set()

    def count_calls(self) -> int:
        """How many calls are driven."""
        return sum(len(keeper.calls_of(keeper.shards)) for keeper in self.keepers.values())

    @property
    def is_driving(self) -> bool:
        """Say whether calls of every node's shards that we hold are served."""
        return any(keeper.shards for keeper in self.keepers.values()) and all(
            keeper.node.is_up for keeper in self.keepers.values()
        )

    # Nodes

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._done)
        self._tasks.append(task)

    def _done(self, task: asyncio.Task[None]) -> None:
        """None of our loops ends by itself: one that does is a defect, and a server without it would do harm."""
        if task.cancelled():
            return
        log.critical("loop_broke", exc_info=task.exception())
        self.broken.set()

    async def _keep_open(self, keeper: Keeper) -> None:
        attempt = 0
        ended = asyncio.Event()

        def on_end(why: str) -> None:
            log.warning("node_lost", extra={"node": keeper.node.name, "why": why})
            keeper.lost()
            ended.set()

        keeper.node.on_end = on_end
        while True:
            ended.clear()
            try:
                await keeper.reopen()
                attempt = 0
                self._links(keeper, is_up=True)
                log.info("node_up", extra={"node": keeper.node.name, "core": keeper.node.core_uuid})
                self.on_state(keeper.node.name)
                self._requests.set()
                await ended.wait()
                self._links(keeper, is_up=False)
            except (LinkLost, Unavailable) as error:
                log.info("node_away", extra={"node": keeper.node.name, "problem": str(error)})
            await self.clock.sleep(RECONNECT_S[min(attempt, len(RECONNECT_S) - 1)])
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

    async def _sweep(self) -> None:
        while True:
            await self.clock.sleep(SWEEP_S)
            for keeper in self.keepers.values():
                keeper.effects.meters.esl_events_received(keeper.node.name, keeper.node.take_count())
                if keeper.node.is_up and keeper.shards:
                    try:
                        await keeper.sweep()
                    except LinkLost:
                        continue

    # Shards

    async def _balance(self) -> None:
        last_over = 0.0
        servers: list[str] = []
        looked = -10.0
        while True:
            try:
                now = self.clock.monotonic_s()
                if self.ownership_lost.is_set():
                    await self._regain()
                if not self.pulse.is_sure:
                    await self._look_again()
                # Before anything is given back we look again: whose share it would be may be gone, and its shards here.
                if now - looked >= 1.0 or len(self.ownership.owned) > self._share(servers):
                    servers, looked = await self.ownership.live_servers(), now
                    await self.ownership.fence()
                share = self._share(servers)
                await self._drive_what_is_held()
                held = len(self.ownership.owned)
                if held > share and len(servers) > 1:
                    await self._give_back(held - share)
                elif held < share or (now - last_over >= PATIENCE_S and now >= self._yielding_until_s):
                    last_over = now
                    await self._take_free(share)
            except Unavailable as error:
                log.info("ownership_unknown", extra={"problem": str(error)})
                await self.clock.sleep(AWAY_S)
            await self.clock.sleep(POLL_S)

    def _share(self, servers: list[str]) -> int:
        places = len(SHARDS) * len(self.keepers)
        if self.id not in servers:
            return places
        return places // len(servers) + (sorted(servers).index(self.id) < places % len(servers))

    async def _take_free(self, share: int) -> None:
        for name, keeper in self.keepers.items():
            wanted = [shard for shard in SHARDS if (name, shard) not in self.ownership.owned]
            if not wanted:
                continue
            room = share - len(self.ownership.owned)
            taken = await self.ownership.try_take(name, wanted[:room] if room > 0 else wanted)
            if taken:
                log.info("shards_taken", extra={"node": name, "shards": sorted(taken)})
                await self._drive(keeper, taken)

    async def _drive_what_is_held(self) -> None:
        """Take up shards whose locks we have and that we could not drive, or not give back, when we should have."""
        for name, keeper in self.keepers.items():
            held = frozenset(shard for node, shard in self.ownership.owned if node == name)
            if held - keeper.shards:
                await self._drive(keeper, held - keeper.shards)

    async def _drive(self, keeper: Keeper, shards: frozenset[int]) -> None:
        try:
            await keeper.take(shards)
        except LinkLost:
            return  # `_keep_open` asks the node about them when it is back
        finally:
            self.on_state(keeper.node.name)
            self._queue.set()
            self._requests.set()

    async def _give_back(self, surplus: int) -> None:
        self._yielding_until_s = self.clock.monotonic_s() + YIELD_S
        by_node: dict[str, list[int]] = defaultdict(list)
        for node, shard in sorted(self.ownership.owned)[:surplus]:
            by_node[node].append(shard)
        for node, shards in by_node.items():
            async with self._placing:  # a claim that came back after its shard went would be nobody's
                await self.keepers[node].give(frozenset(shards))
                await self.ownership.release(node, shards)
            log.info("shards_given_back", extra={"node": node, "shards": shards})

    async def _beat(self) -> None:
        while True:
            self.pulse.beat()
            await self.clock.sleep(BEAT_S)

    async def _look_again(self) -> None:
        """We slept, or hung. Nothing is done before we know that our shards were ours all the while."""
        asked_s = self.clock.monotonic_s()
        log.warning("slept", extra={"server": self.id})
        try:
            await self.ownership.confirm()
        except Unavailable:
            await self._let_go()
            raise
        if self.clock.monotonic_s() - asked_s > SURE_S:
            return  # the answer is old news, too
        was_refused = self.pulse.was_refused
        self.pulse.go_on()
        if was_refused:
            for keeper in self.keepers.values():
                keeper.node.abort("something was not sent after a sleep")

    async def _let_go(self) -> None:
        """Others may have had our calls, and may have them now: whatever is ours later is read from its journal."""
        for keeper in self.keepers.values():
            await keeper.give(keeper.shards)
        self.pulse.forget()

    async def _regain(self) -> None:
        if not self.pulse.is_sure:
            await self._let_go()
        await self.ownership.open()
        for name, keeper in self.keepers.items():
            kept = await self.ownership.try_take(name, sorted(keeper.shards)) if keeper.shards else frozenset()
            gone = keeper.shards - kept
            if gone:
                log.warning("shards_lost", extra={"node": name, "shards": sorted(gone)})
                await keeper.give(gone)
        self.ownership_lost.clear()

    # Calls to place, requests to live calls

    async def _take_queued(self) -> None:
        while True:
            self._queue.clear()
            waiting = 0
            try:
                async with self._placing:
                    places = self._places()
                    claimed = await self.inbox.claim_calls(places) if places else ()
                    for facts in claimed:
                        self.keepers[facts.node].place(facts)
                waiting = await self.inbox.count_queued(places) if places else 0
            except Unavailable as error:
                log.info("queue_unreadable", extra={"problem": str(error)})
            await self._pause(self._queue, QUEUE_POLL_S if waiting else QUEUE_IDLE_S)

    async def _take_requests(self) -> None:
        while True:
            self._requests.clear()
            # What is asked while a node cannot be reached waits: it is answered as done when it is sent.
            up = [keeper for keeper in self.keepers.values() if keeper.node.is_up]
            calls = {call.id for keeper in up for call in keeper.calls.values()}
            try:
                for request in await self.inbox.requests(sorted(calls)) if calls else ():
                    leg = leg_of_call(request.call)
                    owner = next((found for k in up if (found := k.find(leg))), None)
                    if owner is not None:
                        owner.feed(request.event)
            except Unavailable as error:
                log.info("requests_unreadable", extra={"problem": str(error)})
            await self._pause(self._requests, QUEUE_IDLE_S)

    def _places(self) -> frozenset[tuple[str, int]]:
        return frozenset(
            (name, shard) for name, keeper in self.keepers.items() if keeper.node.is_up for shard in keeper.shards
        )

    async def _pause(self, until: asyncio.Event, most_s: float) -> None:
        waiting = asyncio.ensure_future(until.wait())
        pause = asyncio.ensure_future(self.clock.sleep(most_s))
        try:
            await asyncio.wait({waiting, pause}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            pause.cancel()
