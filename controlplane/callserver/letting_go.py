"""Calls that are somebody else's from here on: whoever takes them over reads on record where they stand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from controlplane.base.clock import Clock
from controlplane.callserver.call import LiveCall
from controlplane.callserver.ports import Archive
from controlplane.callserver.turns import in_turns

SETTLE_S = 1.0  # how long entries may take; a database that is away takes them later, or never
SETTLE_LOOK_S = 0.02
DROPPED_AT_ONCE = 100  # calls: some milliseconds


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
