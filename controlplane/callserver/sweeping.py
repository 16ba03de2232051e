"""Finding what no event told: legs that are gone, calls and legs that nobody drives.

What began or ended a moment ago looks the same as what is lost: only what is found at two looks in a row is taken for
that. A call is let go of when it cannot be put on record, and a leg may come up when its call is over.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controlplane.base.causes import Cause
from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId, LegId, shard_of
from controlplane.callserver.matching import Channels
from controlplane.switch.listing import Channel

if TYPE_CHECKING:
    from controlplane.callserver.keeper import Keeper

log = logging.getLogger(__name__)

NAMED_AT_ONCE = 700  # calls, to the database: 3 ms of writing
AGAIN_S = 1.0  # after which a stray that is still one is picked up again; twice that the next time, and so on
AGAIN_AT_MOST_S = 300.0


@dataclass(slots=True)
class Twice:
    """What was found at two looks in a row."""

    _before: frozenset[LegId] = frozenset()

    def again(self, found: frozenset[LegId]) -> frozenset[LegId]:
        """Answer what of this was found the last time, too."""
        both, self._before = found & self._before, found
        return both


@dataclass(slots=True)
class Tries:
    """When what was tried in vain is tried again: it may help or not, and costs as much each time."""

    _pauses_s: dict[LegId, float] = field(default_factory=dict)
    _next_s: dict[LegId, float] = field(default_factory=dict)

    def due(self, legs: frozenset[LegId], now_s: float) -> frozenset[LegId]:
        """Answer those of these to try now."""
        return frozenset(leg for leg in legs if self._next_s.get(leg, now_s) <= now_s)

    def tried(self, legs: frozenset[LegId], now_s: float) -> None:
        """These were tried."""
        for leg in legs:
            pause_s = self._pauses_s.get(leg, AGAIN_S)
            self._next_s[leg] = now_s + pause_s
            self._pauses_s[leg] = min(2 * pause_s, AGAIN_AT_MOST_S)

    def keep(self, legs: frozenset[LegId], now_s: float) -> None:
        """Forget all but these, but not before it shows that it was not in vain."""
        for leg in [leg for leg, next_s in self._next_s.items() if next_s <= now_s and leg not in legs]:
            del self._next_s[leg], self._pauses_s[leg]


@dataclass(slots=True)
class Sweeper:
    """One node's, while what is driven there stays ours."""

    _missing: Twice = field(default_factory=Twice)
    _unknown: Twice = field(default_factory=Twice)
    _strays: Twice = field(default_factory=Twice)
    _picked_up: Tries = field(default_factory=Tries)

    async def sweep(self, keeper: Keeper) -> None:
        """Look once. Raises LinkLost."""
        channels = await keeper.matching.channels()
        # It is told when those that moved are there.
        calls = [call for call in keeper.calls_of(keeper.shards) if not call.is_moved]
        missing = await keeper.matching.missing(calls, channels)
        again = self._missing.again(frozenset(leg for _, leg in missing))
        await keeper.matching.end_the_gone([(call, leg) for call, leg in missing if leg in again], ())
        unknown = (leg for leg in channels if shard_of(leg) in keeper.shards and leg not in keeper.calls)
        await keeper.leftovers.end(self._unknown.again(frozenset(unknown)))
        try:
            await self._pick_up_strays(keeper, channels)
        except Unavailable as error:
            log.warning("journals_unreadable", extra={"node": keeper.node.name, "problem": str(error)})

    async def _pick_up_strays(self, keeper: Keeper, channels: Channels) -> None:
        """Go on with calls that are ours by the record, take parked callers, end parked legs that no call knows."""
        parked = frozenset(leg for leg, channel in channels.items() if _is_unclaimed(keeper, leg, channel))
        strays = parked | await _undriven(keeper)
        now_s = keeper.clock.monotonic_s()
        self._picked_up.keep(strays, now_s)
        found = self._picked_up.due(self._strays.again(strays), now_s)
        if not found:
            return
        log.warning("strays_found", extra={"node": keeper.node.name, "legs": sorted(found)})
        await keeper.resynchronise(keeper.shards, but=keeper.calls_of(keeper.shards))
        await _undriven(keeper)  # while the journals cannot be read nobody was helped
        self._picked_up.tried(found, keeper.clock.monotonic_s())
        for leg in found & parked:
            if leg in keeper.calls or channels[leg].is_inbound or keeper.effects.unsaved.has_any({shard_of(leg)}):
                continue  # it may be of a call of which nobody can read yet that it has such a leg
            if await keeper.node.is_marked(leg):
                keeper.effects.outlet.end(leg, Cause.NORMAL_TEMPORARY_FAILURE)


def _is_unclaimed(keeper: Keeper, leg: LegId, channel: Channel) -> bool:
    is_ours = shard_of(leg) in keeper.shards and leg not in keeper.effects.unsaved
    return channel.application == "park" and is_ours and leg not in keeper.calls


async def _undriven(keeper: Keeper) -> frozenset[LegId]:
    """A-legs of calls without a verdict that are ours by the record and not driven by us. Raises Unavailable.

    Those that we drove a moment ago are not among them while the record cannot tell yet how far they came.
    """
    waiting: list[LegId] = []
    for shards, driven in _packs(keeper):
        stored = await keeper.archive.live_calls(keeper.node.name, shards, but=driven)
        waiting += [one.facts.a_leg for one in stored if not one.has_verdict]
    return frozenset(leg for leg in waiting if leg not in keeper.calls and leg not in keeper.effects.unsaved)


def _packs(keeper: Keeper) -> list[tuple[frozenset[int], list[CallId]]]:
    """Shards whose journals were read and what we drive of them, so many together as have few calls.

    Naming thousands to the database in one piece holds the loop up.
    """
    driven: dict[int, list[CallId]] = {shard: [] for shard in sorted(keeper.read)}
    for call in keeper.calls_of(keeper.read):
        driven[call.shard].append(call.id)
    packs: list[tuple[frozenset[int], list[CallId]]] = []
    for shard, calls in driven.items():
        if not packs or len(packs[-1][1]) + len(calls) > NAMED_AT_ONCE:
            packs.append((frozenset(), []))
        shards, named = packs[-1]
        packs[-1] = (shards | {shard}, named + calls)
    return packs
