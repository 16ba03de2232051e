"""Calls of one media node: which of them we drive, and how they are found again.

Whenever a link was away, and whenever shards come to us, the node is asked what channels it has, and every journal is
held against that (`resynchronise`). Events that come meanwhile wait, so that nothing is handled twice or out of turn.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from controlplane.base.causes import Cause
from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId, LegId, shard_of
from controlplane.calls.events import CallPlaced
from controlplane.calls.facts import Facts
from controlplane.callserver.arrivals import Arrivals
from controlplane.callserver.call import LiveCall
from controlplane.callserver.custody import Custody
from controlplane.callserver.effects import Effects
from controlplane.callserver.gate import Gate
from controlplane.callserver.hopeless import Hopeless
from controlplane.callserver.leftovers import Leftovers
from controlplane.callserver.letting_go import let_go
from controlplane.callserver.matching import Matching
from controlplane.callserver.ports import Archive, Stored
from controlplane.callserver.pulse import Pulse
from controlplane.callserver.reception import Reception
from controlplane.callserver.sweeping import Sweeper
from controlplane.callserver.turns import in_turns
from controlplane.switch.link import LinkLost
from controlplane.switch.marks import followed, mark_shards
from controlplane.switch.node import Node
from controlplane.switch.translation import News, Offered

log = logging.getLogger(__name__)

LEAVES_S = 0.3  # more than there is between two looks of a server that is cut off (balancing.py)
MOST_LATE_NEWS = 20_000  # while resynchronising: some minutes of a node's; what comes of them is found anew then


@dataclass(slots=True)
class Keeper:
    """Drives the calls of one node's shards that are ours."""

    server: str
    node: Node
    effects: Effects
    matching: Matching
    archive: Archive
    clock: Clock
    pulse: Pulse
    gate: Gate
    custody: Custody
    hopeless: Hopeless
    leftovers: Leftovers
    arrivals: Arrivals
    reception: Reception
    calls: dict[LegId, LiveCall]
    shards: frozenset[int] = frozenset()
    changing: asyncio.Lock = field(default_factory=asyncio.Lock)  # what is driven
    term: int = 0  # in which shards were last taken (switch/marks.py)
    may_be_driven: bool = False  # some of those, by a server that is cut off from the database
    read: frozenset[int] = frozenset()  # shards whose journals were read since they are ours
    _late_news: list[News] | None = field(default_factory=list)  # a list while resynchronising: news waits in it
    _sweeper: Sweeper = field(default_factory=Sweeper)

    # News

    def on_news(self, news: News) -> None:
        """Take what the event link brought; never waits."""
        if self._late_news is not None:
            self._late_news.append(news)
            if len(self._late_news) > MOST_LATE_NEWS:
                self.node.abort("too much news waits")
            return
        if not self.pulse.is_sure:
            self.pulse.postpone(partial(self.on_news, news))
            return
        self.reception.take(news, self.shards)

    # Calls that others hand over

    def place(self, facts: Facts) -> None:
        """Place a call claimed from the queue, unless we found it on record, or whoever has its shard now will."""
        if facts.a_leg in self.calls or shard_of(facts.a_leg) not in self.shards:
            return
        self.reception.open(facts).feed(CallPlaced(facts))

    def find(self, leg: LegId) -> LiveCall | None:
        """The call this leg belongs to, if we drive it."""
        return self.calls.get(leg)

    # Shards

    async def take(self, shards: frozenset[int]) -> None:
        """Drive these shards too, from where their journals stand, which were settled (`Archive.settle`) just now.

        Raises LinkLost, and they are ours all the same; Unavailable without their journals, and then they are not.
        """
        async with self.changing:
            self.shards |= shards
            await self.resynchronise(shards)
            if not shards <= self.shards:
                raise Unavailable("The journals of these shards cannot be read.")

    async def give(self, shards: frozenset[int]) -> None:
        """Drive these shards no more; the calls go on without us. All that is on record of them is there then."""
        async with self.changing:
            await self._leave(shards)
            with suppress(LinkLost):  # who opens the links again watches what is left
                await self.node.watch(self.shards)

    def quit(self, shards: frozenset[int]) -> None:
        """Drive these no more at once, whatever is under way: others do. To be followed by `give`."""
        for call in self._disown(shards):
            call.drop()

    async def _leave(self, shards: frozenset[int]) -> None:
        await self.let_go(self._disown(shards), shards)

    async def let_go(self, calls: Sequence[LiveCall], shards: frozenset[int]) -> None:
        """Drive these calls no more; all that is on record of these shards is there then, or will be."""
        await let_go(calls, shards, self.effects.unsaved, self.archive, self.clock)

    def _disown(self, shards: frozenset[int]) -> list[LiveCall]:
        """Hold these no more; answers the calls that are still driven."""
        if self.shards & shards:
            self._sweeper = Sweeper()  # what it saw, others may go on with
        self.shards -= shards
        self.read -= shards
        return self.calls_of(shards)

    async def reopen(self) -> None:
        """Connect (again) and find out what happened meanwhile. Raises LinkLost."""
        async with self.changing:
            self._late_news = self._late_news or []
            self.effects.outlet.lost()
            await self.node.open(self.shards)
            await self._leave(await followed(self.node, self.shards, lambda: self.term))
            if not await self.custody.confirm():
                await self.resynchronise(self.shards)
                return
            # What was driven before is on record, and read from there.
            await self.let_go(self.calls_of(self.shards), self.shards)
            with suppress(Unavailable):  # nobody's news is kept waiting by that any more
                await self.archive.settle()
            await self.resynchronise(self.shards, cause=Cause.NODE_LOST)

    @property
    def is_serving(self) -> bool:
        """Say whether new calls can be placed: the links are open, and it is known what the node has."""
        return self.node.is_up and self._late_news is None

    def lost(self) -> None:
        """The links are gone: from here on nothing is known until they are back."""
        self.effects.outlet.lost()
        self._late_news = []

    async def sweep(self) -> None:
        """Find what no event told: legs that are gone, calls and legs that nobody drives. Raises LinkLost."""
        with suppress(Unavailable):  # before: it may take long, and news waits while what is driven changes
            await self.archive.settle()
        async with self.changing:
            await self._sweeper.sweep(self)
            await self.hopeless.end_all(self.shards)  # that could not be put on record before

    # Resynchronisation

    async def resynchronise(
        self, shards: frozenset[int], *, but: Sequence[LiveCall] = (), cause: Cause = Cause.LOST
    ) -> None:
        """Hold the journals of these shards, `but` of these calls, against what the node has, and go on from there.

        Calls that moved here are among that all the same, once their legs had time to come up. Legs that are gone ended
        by `cause`, as far as nobody told. Raises LinkLost.
        """
        waiting = self._late_news = self._late_news if self._late_news is not None else []
        began_s = self.clock.monotonic_s()
        try:
            await self.node.watch(self.shards)
            with self.effects.unsaved.reading() as old:
                stored = await self._journals(shards, [call.id for call in but])
                shards &= self.read
                mark_shards(self.node, shards, self.term)
                if self.may_be_driven:
                    self.may_be_driven = False
                    await self.clock.sleep(LEAVES_S)
                adopted = await self.adopt(stored, shards, old)
            known = {call.id for call in but}
            calls = [one for one in adopted if one.is_moved or one.id not in known]
            calls = await self.arrivals.settled_of(calls)
            channels = await self.matching.channels()
            ended = await self.hopeless.end_all(self.shards)
            await self.matching.end_the_gone(await self.matching.missing(calls, channels), waiting, cause)
            seen = await self.matching.see(calls, channels)
            async for call in in_turns(calls):
                self.matching.resume(call, seen, self.server)
            offered = {news.leg for news in waiting if isinstance(news, Offered)}
            unclaimed = await self.matching.unclaimed(channels, shards, but=offered | ended)
            ended |= await self.leftovers.end([news.leg for news in unclaimed])
            waiting += [news for news in unclaimed if news.leg not in ended]
        except LinkLost:
            self._late_news = []
            raise
        self._late_news = None
        self.effects.pace.taken()  # who came in a moment ago is not in the list at all
        for news in waiting:
            self.on_news(news)
        took_ms = round(1000 * (self.clock.monotonic_s() - began_s))
        told = {"node": self.node.name, "shards": len(shards), "calls": len(calls), "took_ms": took_ms}
        log.info("resynchronised", extra=told)

    async def _journals(self, shards: frozenset[int], but: Sequence[CallId]) -> Sequence[Stored]:
        """Read what is on record. Without a database we go on with what we know, and let go of what we never knew."""
        try:
            stored = await self.archive.live_calls(self.node.name, shards, but)
        except Unavailable as error:
            log.warning("journals_unreadable", extra={"node": self.node.name, "problem": str(error)})
            self.shards -= shards - self.read
            await self.node.watch(self.shards)
            return ()
        self.read |= shards & self.shards  # some may have gone meanwhile
        return stored

    def calls_of(self, shards: frozenset[int]) -> list[LiveCall]:
        """The calls of these shards that we drive, each once."""
        ours = {id(call): call for call in self.calls.values()}
        return [call for call in ours.values() if call.shard in shards]

    def _has_legs_of(self, call: CallId) -> bool:
        return any(known.id == call for known in self.calls.values())

    async def adopt(self, stored: Iterable[Stored], shards: frozenset[int], old: Container[CallId]) -> list[LiveCall]:
        """Drive these, but of those that are `old` news: the sweep finds them. Answers all that are driven."""
        async for one in in_turns(self.hopeless.sift(one for one in stored if one.facts.call not in old)):
            if shard_of(one.facts.a_leg) not in self.shards or one.facts.call in old:
                continue
            if one.facts.a_leg in self.calls or (one.has_verdict and self._has_legs_of(one.facts.call)):
                continue
            call = self.reception.open(one.facts)
            call.moves = one.moves
            if not one.entries:  # claimed, and its server died before it dialled
                call.feed(CallPlaced(one.facts))
                continue
            try:
                self.effects.overlays.found(call.replay(one.entries))
            except Exception:
                # A defect of ours, or a version that thought otherwise; every server to come would fall over it, too.
                log.exception("call_broke", extra={"call": call.id})
                self.reception.give_up(one.facts.a_leg, call)
                self.hopeless.add(one)
                continue
            for leg in call.machine.living_legs:
                self.calls[leg.id] = call
        return self.calls_of(shards)
