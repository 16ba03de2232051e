"""Legs that a node is bringing up, as another died that had them: each call goes on as soon as its own are there.

    given ──► journals are read while FreeSWITCH works ──► a leg is parked: its call goes on ──► settled: the others do

A caller who waits for us hears nothing until we speak, so nobody waits for legs of other calls. Two who talk were
joined by FreeSWITCH and need nothing of us at once: they are seen to when all is settled, as is whatever did not come.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.errors import Unavailable
from controlplane.base.ids import LegId
from controlplane.calls.events import LegEnded
from controlplane.callserver.call import LiveCall
from controlplane.callserver.custody import Custody
from controlplane.callserver.matching import Matching
from controlplane.switch.link import LinkLost

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Arrivals:
    """Of one node."""

    custody: Custody
    matching: Matching
    calls: Mapping[LegId, LiveCall]
    _given: frozenset[LegId] = frozenset()
    _coming: frozenset[LegId] = frozenset()
    _parked: set[LegId] = field(default_factory=set)  # of calls, too, whose journals are being read

    async def look(self) -> None:
        """See which legs the node was given lately, and which of them may not be up yet. Raises Unavailable."""
        self._given, self._coming = await self.custody.given()
        if not self._given:
            self._parked.clear()

    def parked(self, leg: LegId) -> None:
        """A leg is parked: perhaps one that was brought up, which can be spoken to from here on."""
        call = self.calls.get(leg)
        if call is not None and not call.is_moved:
            return
        self._parked.add(leg)
        if call is not None:
            self.go_on(call)

    def go_on(self, call: LiveCall) -> None:
        """Go on with a call if all that is left of it is there. Whatever was not given to us died with the node."""
        living = call.machine.living_legs
        if call.is_dropped or not call.is_moved or any(leg.joined_to is not None for leg in living):
            return
        given = {leg.id for leg in living} & self._given
        if not given or not given <= self._parked:
            return
        for leg in living:
            if leg.id not in given:
                self.matching.effects.happened(call, LegEnded(leg.id, Cause.NODE_LOST))
        self.matching.move(call)

    async def settled_of(self, calls: list[LiveCall]) -> list[LiveCall]:
        """Those of which it can be seen what came up: to be asked after they were read, and before the node is."""
        if not any(call.is_moved for call in calls):
            return calls
        try:
            await self.look()
        except LinkLost:
            raise
        except Unavailable as error:
            log.warning("cores_unknown", extra={"node": self.custody.node.name, "problem": str(error)})
            return [call for call in calls if not call.is_moved]
        return [call for call in calls if not call.is_moved or call.machine.facts.a_leg not in self._coming]
