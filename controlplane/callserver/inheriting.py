"""What a node's keeper does as nodes die: its own, whose calls it lets go of, or another, whose calls it goes on with.

Each may be done again. All raise Unavailable, LinkLost among that, and are to be tried again then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from controlplane.base.errors import Unavailable
from controlplane.callserver.line import prompts_of
from controlplane.callserver.ports import PromptFailedError
from controlplane.callserver.turns import in_turns
from controlplane.verbs.documents import Play, Say

if TYPE_CHECKING:
    from controlplane.callserver.call import LiveCall
    from controlplane.callserver.keeper import Keeper

log = logging.getLogger(__name__)


async def leave(keeper: Keeper) -> None:
    """The node is lost: whoever goes on with its calls reads on record where they stand."""
    async with keeper.changing:
        if not keeper.node.is_up:
            await keeper.let_go(keeper.calls_of(keeper.shards), keeper.shards)


async def expect_moved(keeper: Keeper) -> None:
    """Calls were given to this node, which brings up their legs just now: read their journals meanwhile."""
    await keeper.archive.settle()
    async with keeper.changing:
        if not keeper.is_serving:
            return  # whoever opens the links finds them
        driven = [call.id for call in keeper.calls_of(keeper.shards)]
        with keeper.effects.unsaved.reading() as old:
            stored = await keeper.archive.live_calls(keeper.node.name, keeper.shards, driven)
            await keeper.arrivals.look()
            calls = await keeper.adopt(stored, keeper.shards, old)
        async for call in in_turns(calls):
            _make_prompts(keeper, call)
            keeper.arrivals.go_on(call)
        log.info("moved_expected", extra={"node": keeper.node.name, "calls": len(stored)})


def _make_prompts(keeper: Keeper, call: LiveCall) -> None:
    """Begin to make what is to be said again: another process made it for another node."""

    async def make(prompt: Say | Play) -> None:
        with suppress(PromptFailedError):  # who says it again is told
            await keeper.effects.prompts.make_sound(keeper.node.name, prompt)

    def begin(prompt: Say | Play) -> Callable[[], asyncio.Task[None]]:
        return lambda: asyncio.create_task(make(prompt))

    if call.is_moved:
        for prompt in {prompt for burst in call.machine.bursts for prompt in prompts_of(burst.runs)}:
            if keeper.effects.prompts.maybe_sound(keeper.node.name, prompt) is None:
                call.start(f"make {prompt}", begin(prompt))


async def take_moved(keeper: Keeper) -> None:
    """All has come up that will: go on with what did not wait for us, and end what is not there."""
    await keeper.archive.settle()
    async with keeper.changing:
        if keeper.node.is_up:  # else whoever opens the links finds them
            await keeper.resynchronise(keeper.shards, but=keeper.calls_of(keeper.shards))


async def end_lost(keeper: Keeper) -> None:
    """The node is lost, and what can go on elsewhere was given away: the rest is over."""
    await keeper.archive.settle()
    async with keeper.changing:
        if keeper.node.is_up:
            return
        await keeper.let_go(keeper.calls_of(keeper.shards), keeper.shards)
        with keeper.effects.unsaved.reading() as old:
            stored = await keeper.archive.live_calls(keeper.node.name, keeper.shards)
            calls = await keeper.adopt(stored, keeper.shards, old)
            is_whole = not any(one.facts.call in old for one in stored)
        keeper.matching.end_all(call for call in calls if not call.is_moved)
        await keeper.hopeless.end_all(keeper.shards)
        await keeper.let_go(calls, keeper.shards)
        if not is_whole:
            raise Unavailable("What was written of some of these calls is not on record yet.")
