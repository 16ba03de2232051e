"""What the API put into the database for call servers: calls to place, requests to live calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controlplane.base.ids import CallId
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Request
from controlplane.services.ask_control import load_asked
from controlplane.store.database import Database
from controlplane.store.queue import Limits, claim_calls, count_queued


@dataclass(slots=True)
class DatabaseInbox:
    """Claims queued calls within the limits, and reads requests."""

    server_id: str
    db: Database
    limits: Limits

    async def claim_calls(self, places: frozenset[tuple[str, int]], most: int) -> Sequence[Facts]:
        return [
            claimed.facts
            for claimed in await claim_calls(self.db, places, self.limits, server_id=self.server_id, most=most)
        ]

    async def count_queued(self, places: frozenset[tuple[str, int]]) -> int:
        return await count_queued(self.db, {shard for _, shard in places})

    async def requests(self, nodes: Sequence[str], drives: Callable[[CallId], bool]) -> Sequence[Request]:
        async with self.db.transaction() as tx:
            asked = await load_asked(tx, nodes, drives)
        return [Request(call, one.event) for call, requests in asked.items() for one in requests]
