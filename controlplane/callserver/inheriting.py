"""What a node's keeper does as nodes die: its own, whose calls it lets go of, or another, whose calls it goes on with.

Each may be done again. All raise Unavailable, LinkLost among that, and are to be tried again then.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from controlplane.callserver.letting_go import let_go
from controlplane.callserver.turns import in_turns

if TYPE_CHECKING:
    from controlplane.callserver.keeper import Keeper

log = logging.getLogger(__name__)


async def leave(keeper: Keeper) -> None:
    """The node is lost: whoever goes on with its calls reads on record where they stand."""
    async with keeper.changing:
        if not keeper.node.is_up:
            await let_go(keeper.calls_of(keeper.shards), keeper.archive, keeper.clock)


async def expect_moved(keeper: Keeper) -> None:
    """Calls were given to this node, which brings up their legs just now: read their journals meanwhile."""
    async with keeper.changing:
        if not keeper.is_serving:
            return  # whoever opens the links finds them
        driven = [call.id for call in keeper.calls_of(keeper.shards)]
        stored = await keeper.archive.live_calls(keeper.node.name, keeper.shards, driven)
        await keeper.arrivals.look()
        async for call in in_turns(await keeper.adopt(stored, keeper.shards)):
            keeper.arrivals.go_on(call)
        log.info("moved_expected", extra={"node": keeper.node.name, "calls": len(stored)})


async def take_moved(keeper: Keeper) -> None:
    """All has come up that will: go on with what did not wait for us, and end what is not there."""
    async with keeper.changing:
        if keeper.node.is_up:  # else whoever opens the links finds them
            await keeper.resynchronise(keeper.shards, but=keeper.calls_of(keeper.shards))


async def end_lost(keeper: Keeper) -> None:
    """The node is lost, and what can go on elsewhere was given away: the rest is over."""
    async with keeper.changing:
        if keeper.node.is_up:
            return
        await let_go(keeper.calls_of(keeper.shards), keeper.archive, keeper.clock)
        stored = await keeper.archive.live_calls(keeper.node.name, keeper.shards)
        calls = await keeper.adopt(stored, keeper.shards)
        keeper.matching.end_all(call for call in calls if not call.is_moved)
        await keeper.hopeless.end_all()
        await let_go(calls, keeper.archive, keeper.clock)
