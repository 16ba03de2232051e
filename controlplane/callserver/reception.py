"""What one piece of a media node's news means: to the call that it is about, or that there is a new one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.clock import Clock
from controlplane.base.ids import LegId, shard_of
from controlplane.calls.events import CallOffered, LegAnswered, LegEnded, LegRinging
from controlplane.calls.facts import Facts
from controlplane.callserver.arrivals import Arrivals
from controlplane.callserver.call import LiveCall
from controlplane.callserver.effects import Effects
from controlplane.callserver.gate import Gate
from controlplane.callserver.ports import Journal
from controlplane.callserver.pulse import Pulse
from controlplane.switch.link import LinkLost
from controlplane.switch.translation import Happened, Looked, News, Offered, Parked, Pressed

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Reception:
    """One node's. `answer_offer` makes an offered leg's facts, or refuses it."""

    node: str
    effects: Effects
    arrivals: Arrivals
    journal: Journal
    clock: Clock
    pulse: Pulse
    gate: Gate
    answer_offer: Callable[[Offered, str], Facts | Cause]
    calls: Mapping[LegId, LiveCall]

    def take(self, news: News, shards: frozenset[int]) -> None:
        """Do what follows of it; a new call is ours if it is of one of these shards. Never waits."""
        call = self.calls.get(news.leg)
        try:
            self._take(call, news, shards)
        except Exception:
            # A defect of ours in one call must not take the others down with it.
            log.exception("call_broke", extra={"call": call.id if call else None})
            self.give_up(news.leg, call)

    def open(self, facts: Facts) -> LiveCall:
        """Drive a call that was offered, placed or found on record."""
        call = LiveCall(facts.call, self.node, self.journal, self.clock, self.effects, self.pulse)
        self.effects.begin(call, facts)
        log.info("call_taken", extra={"call": facts.call, "direction": facts.direction.value, "node": self.node})
        return call

    def give_up(self, leg: LegId, call: LiveCall | None) -> None:
        """End a leg, and drive its call no more: we cannot."""
        self._end(leg, Cause.NORMAL_TEMPORARY_FAILURE)
        if call is not None:
            self.effects.give_up(call)
            call.drop()

    def _take(self, call: LiveCall | None, news: News, shards: frozenset[int]) -> None:
        match news:
            case Parked(leg) | Happened(leg, LegRinging() | LegAnswered()) if call is not None and call.has_lost(leg):
                self._end(leg, Cause.NORMAL_CLEARING)  # it was taken for lost, and nobody waits for it any more
            case Offered(leg):
                if news.is_recovered:
                    self.arrivals.parked(leg)
                elif call is None and shard_of(leg) in shards:
                    self._offered(news)
                if call is not None:
                    self.effects.parked(leg)
            case Parked(leg):
                self.arrivals.parked(leg)
                self.effects.parked(leg)
            case Happened(leg, event):
                match event:
                    case LegAnswered():
                        self.effects.answered(leg)
                    case LegEnded():
                        self.effects.ended(leg)
                if call is not None:
                    self.effects.happened(call, event)
            case Pressed(leg):
                self.effects.pressed(leg)
            case Looked():
                if call is not None:
                    self.effects.looked(call, news)

    def _offered(self, offered: Offered) -> None:
        if not self.gate.is_open:
            self.gate.refused()
            self._end(offered.leg, Cause.SWITCH_CONGESTION)
            return
        facts = self.answer_offer(offered, self.node)
        if isinstance(facts, Cause):
            self._end(offered.leg, facts)
            return
        self.open(facts).feed(CallOffered(facts))

    def _end(self, leg: LegId, cause: Cause) -> None:
        with suppress(LinkLost):  # whoever is at the door is ended by its watchdog then, others are found by the sweep
            self.effects.outlet.end(leg, cause)
