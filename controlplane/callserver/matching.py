"""What a node has, held against what the journals say it should have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.clock import Clock
from controlplane.base.ids import LegId, shard_of
from controlplane.calls.events import LegAnswered, LegEnded, LegsJoined, Moved, Resumed
from controlplane.calls.scene import Leg
from controlplane.callserver.call import LiveCall
from controlplane.callserver.dialling import was_dialled_lately
from controlplane.callserver.effects import Effects
from controlplane.callserver.turns import in_turns
from controlplane.switch.link import LinkLost
from controlplane.switch.listing import Channel
from controlplane.switch.node import Node
from controlplane.switch.translation import Happened, News, Offered

log = logging.getLogger(__name__)

LOOKED_AT_ONCE = 200  # legs of a call, against a list: some microseconds
ASKED_AT_ONCE = 50  # a channel's variables are 8 KB and more
LAST_WORDS_S = 0.05  # twice what a node takes to send an event that it has

Channels = Mapping[LegId, Channel]
Missing = list[tuple[LiveCall, LegId]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a node shows of calls' legs; `ago_ms` and `partners` tell what no journal knows."""

    channels: Channels
    ago_ms: Mapping[LegId, int]  # how long ago they were answered; those that were not are left out
    partners: Mapping[LegId, LegId]  # of A-legs: whom they hear


@dataclass(frozen=True, slots=True)
class Matching:
    """Of one node. What asks the node raises LinkLost."""

    node: Node
    effects: Effects
    clock: Clock

    async def channels(self) -> Channels:
        """Every channel that the node has."""
        return {channel.leg: channel for channel in await self.node.channels()}

    async def missing(self, calls: Iterable[LiveCall], channels: Channels) -> Missing:
        """Legs that should be on the node and are not in its list."""
        legs: Missing = []
        async for call in in_turns(calls, at_once=LOOKED_AT_ONCE):
            legs += [(call, leg.id) for leg in call.machine.living_legs if leg.id not in channels]
        return [(call, leg) for call, leg in legs if call.is_moved or not self._may_come_yet(call, leg)]

    def _may_come_yet(self, call: LiveCall, leg: LegId) -> bool:
        return call.machine.may_come_yet(leg) or self.effects.dialling.is_yet_to_come(call, leg)

    async def end_the_gone(self, missing: Missing, late_news: Collection[News], cause: Cause = Cause.LOST) -> None:
        """End legs that the node does not have. Its list lags a little, so each is asked for by name first.

        Those that were lost with a node (`cause`, or their call came from one) say so.
        The other link may be about to tell how a leg ended, or have told in news that waits: that is the better word.
        """
        there = await asyncio.gather(*(self.node.exists(leg) for _, leg in missing))
        gone = [one for one, is_there in zip(missing, there, strict=True) if not is_there]
        if cause is not Cause.NODE_LOST and not all(call.is_moved for call, _ in gone):
            await self.clock.sleep(LAST_WORDS_S)
        told = {news.leg for news in late_news if isinstance(news, Happened) and isinstance(news.event, LegEnded)}
        async for call, leg in in_turns(gone):
            if leg in told:
                continue
            is_of_lost_node = call.is_moved or cause is Cause.NODE_LOST
            if was_dialled_lately(call, leg) and not is_of_lost_node:
                self.effects.outlet.doubt(call, leg)
                continue
            self.effects.happened(call, LegEnded(leg, Cause.NODE_LOST if is_of_lost_node else cause))

    def end_all(self, calls: Iterable[LiveCall]) -> None:
        """The node is lost, and nobody goes on with these calls."""
        for call in calls:
            for leg in call.machine.living_legs:
                call.feed(LegEnded(leg.id, Cause.NODE_LOST))

    async def see(self, calls: Collection[LiveCall], channels: Channels) -> Seen:
        """Ask legs of which no journal knows how far they came; no event will tell again."""
        return Seen(channels, await self._answered_ago_ms(calls, channels), await self._partners(calls, channels))

    async def _answered_ago_ms(self, calls: Iterable[LiveCall], channels: Channels) -> Mapping[LegId, int]:
        """They are asked themselves: the list may not know of it yet."""
        legs = [leg for call in calls for leg in call.machine.living_legs]
        unknown = [leg.id for leg in legs if not leg.is_answered and leg.id in channels]
        answers = await asyncio.gather(*(self.node.answered_ago_ms(leg) for leg in unknown))
        return {leg: ago_ms for leg, ago_ms in zip(unknown, answers, strict=True) if ago_ms is not None}

    async def _partners(self, calls: Iterable[LiveCall], channels: Channels) -> Mapping[LegId, LegId]:
        """Whom a Dial's own `bridge` joined while nobody listened."""
        asked = [call.machine.facts.a_leg for call in calls if call.machine.may_be_joined]
        asked = [leg for leg in asked if leg in channels]
        answers = await asyncio.gather(*(self.node.partner_of(leg) for leg in asked))
        partners = {leg: other for leg, other in zip(asked, answers, strict=True) if other is not None}
        return {leg: other for leg, other in partners.items() if other in channels}

    def resume(self, call: LiveCall, seen: Seen, server: str) -> None:
        """Go on with a call: tell it what of its legs the node shows, and have it say again what may be lost."""
        if call.is_dropped:
            return
        if call.is_moved:
            self._join(call, seen)
            self.move(call)
            return
        for leg in call.machine.living_legs:
            channel = seen.channels.get(leg.id)
            if channel is None:
                continue
            if leg.is_ours_to_end and _is_yet_to_be_parked(leg, channel):
                self.effects.dialling.found(leg.id)
            if channel.is_answered or leg.id in seen.ago_ms:
                self.effects.answered(leg.id)
                call.feed(LegAnswered(leg.id, seen.ago_ms.get(leg.id, 0)))
        self._join(call, seen)
        self.effects.outlet.go_on(call)
        call.feed(Resumed(server))
        with suppress(LinkLost):
            self.effects.dialling.say_again(call)

    def _join(self, call: LiveCall, seen: Seen) -> None:
        a_leg = call.machine.facts.a_leg
        other = seen.partners.get(a_leg)
        if other is not None and call.machine.is_alive(a_leg) and call.machine.is_alive(other):
            call.feed(LegsJoined(a_leg, other))

    def move(self, call: LiveCall) -> None:
        """Go on with a call that came from a node that died; the ends of legs that are not here wait in it."""
        self.effects.outlet.go_on(call)
        for leg in call.machine.living_legs:
            if not call.is_ending(leg.id):
                call.feed(LegAnswered(leg.id))  # no others are brought up
        call.feed(Moved(self.node.name, call.moves))
        log.info("call_moved", extra={"call": call.id, "node": self.node.name})

    async def unclaimed(self, channels: Channels, shards: frozenset[int], but: Collection[LegId]) -> list[News]:
        """Legs that came in and nobody took, as if they were offered now.

        They are asked themselves whether they are parked: the list may not know yet, and no event will tell again.
        """

        def may_be(leg: LegId, channel: Channel) -> bool:
            is_ours = channel.is_inbound and shard_of(leg) in shards
            is_driven = leg in self.effects.calls or leg in self.effects.unsaved
            return is_ours and leg not in but and not is_driven

        asked = [leg for leg, channel in channels.items() if may_be(leg, channel)]
        offered: list[News] = []
        for start in range(0, len(asked), ASKED_AT_ONCE):
            looks = await asyncio.gather(*(self.node.look_up(leg) for leg in asked[start : start + ASKED_AT_ONCE]))
            offered += [news for news in looks if isinstance(news, Offered)]
        return offered


def _is_yet_to_be_parked(leg: Leg, channel: Channel) -> bool:
    """Say whether a leg that we dialled may not have been parked yet, as it is when it is answered.

    The list names what ran there last, also when that has ended.
    """
    return channel.application == "" or (channel.application != "park" and not leg.is_answered)
