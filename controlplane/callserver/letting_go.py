"""Calls that we drive no more: whoever takes them over, we too, reads on record where they stand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from controlplane.base.clock import Clock
from controlplane.base.ids import CallId, LegId, call_of_leg, leg_of_call, shard_of
from controlplane.callserver.call import LiveCall
from controlplane.callserver.ports import Archive
from controlplane.callserver.turns import in_turns

SETTLE_S = 1.0  # how long entries may take; a database that is away takes them later, or never
SETTLE_LOOK_S = 0.02
DROPPED_AT_ONCE = 100  # calls: some milliseconds


@dataclass(slots=True)
class Unsaved:
    """Last entries of calls that are driven no more, until they are on record or refused. Contains their A-legs."""

    _saved: dict[CallId, asyncio.Future[None]] = field(default_factory=dict)

    def add(self, call: LiveCall) -> None:
        """A call is driven no more."""
        if call.saved is not None and not call.saved.done():
            self._saved[call.id] = call.saved
            call.saved.add_done_callback(partial(self._done, call.id))

    def __contains__(self, a_leg: LegId) -> bool:
        return call_of_leg(a_leg) in self._saved

    async def settle(self, shards: frozenset[int]) -> bool:
        """Wait a while for those of some shards; False if they are still not on record."""
        waiting = [saved for call, saved in self._saved.items() if shard_of(leg_of_call(call)) in shards]
        if waiting:
            await asyncio.wait(waiting, timeout=SETTLE_S)
        return all(saved.done() for saved in waiting)

    def _done(self, call: CallId, saved: asyncio.Future[None]) -> None:
        if self._saved.get(call) is saved:
            del self._saved[call]


async def let_go(calls: Sequence[LiveCall], archive: Archive, clock: Clock) -> None:
    """Drive calls no more, and wait a while until what was written of them can be read."""
    async for call in in_turns(calls, at_once=DROPPED_AT_ONCE):
        call.drop()
    under_way = [call.saved for call in calls if call.saved is not None and not call.saved.done()]
    if under_way:
        await asyncio.wait(under_way, timeout=SETTLE_S)
    until_s = clock.monotonic_s() + SETTLE_S
    while calls and not archive.is_settled and clock.monotonic_s() < until_s:
        await clock.sleep(SETTLE_LOOK_S)
