"""What others want of a call server: calls to place, and requests to live calls. Both wait in the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId, leg_of_call
from controlplane.callserver.call import LiveCall
from controlplane.callserver.keeper import Keeper
from controlplane.callserver.pace import wait_for
from controlplane.callserver.ports import Inbox

log = logging.getLogger(__name__)

QUEUE_POLL_S = 0.1
QUEUE_IDLE_S = 2.0
MOST_AT_ONCE = 50


@dataclass(slots=True)
class Intake:
    """Takes what is there for the nodes and shards that are driven. While `placing` is held no call is claimed."""

    keepers: Mapping[str, Keeper]
    inbox: Inbox
    clock: Clock
    placing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _queue: asyncio.Event = field(default_factory=asyncio.Event)
    _requests: asyncio.Event = field(default_factory=asyncio.Event)

    def queue_changed(self) -> None:
        """Calls wait to be placed."""
        self._queue.set()

    def requests_changed(self) -> None:
        """The API wants something of a live call."""
        self._requests.set()

    def look(self) -> None:
        """What is driven is not what it was: there may be something for it."""
        self._queue.set()
        self._requests.set()

    async def take_queued(self) -> None:
        """Place calls, for ever."""
        while True:
            self._queue.clear()
            waiting = 0
            try:
                async with self.placing:
                    places = self._places()
                    most = min((keeper.gate.room(MOST_AT_ONCE) for keeper in self._taking()), default=0)
                    claimed = await self.inbox.claim_calls(places, most) if places else ()
                    for facts in claimed:
                        self.keepers[facts.node].place(facts)
                waiting = await self.inbox.count_queued(places) if places else 0
            except Unavailable as error:
                log.info("queue_unreadable", extra={"problem": str(error)})
            await wait_for(self._queue, self.clock, QUEUE_POLL_S if waiting else QUEUE_IDLE_S)

    async def take_requests(self) -> None:
        """Hand requests to their calls, for ever."""
        while True:
            self._requests.clear()
            # What is asked while a node cannot be reached waits: it is answered as done when it is sent.
            up = [keeper for keeper in self.keepers.values() if keeper.is_serving]
            nodes = [keeper.node.name for keeper in up if keeper.calls]
            try:
                for request in await self.inbox.requests(nodes, partial(_finds, up)) if nodes else ():
                    owner = _find(up, request.call)
                    if owner is not None:
                        owner.feed(request.event)
            except Unavailable as error:
                log.info("requests_unreadable", extra={"problem": str(error)})
            await wait_for(self._requests, self.clock, QUEUE_IDLE_S)

    def _places(self) -> frozenset[tuple[str, int]]:
        return frozenset((keeper.node.name, shard) for keeper in self._taking() for shard in keeper.shards)

    def _taking(self) -> list[Keeper]:
        """Whose nodes calls may be placed on. Those of the others wait."""
        return [keeper for keeper in self.keepers.values() if keeper.is_serving and keeper.gate.is_open]


def _find(keepers: Iterable[Keeper], call: CallId) -> LiveCall | None:
    leg = leg_of_call(call)
    return next((found for keeper in keepers if (found := keeper.find(leg)) is not None), None)


def _finds(keepers: Iterable[Keeper], call: CallId) -> bool:
    return _find(keepers, call) is not None
