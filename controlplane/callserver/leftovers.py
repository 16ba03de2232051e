"""Legs whose calls are over on record: those were written off while the links to their node were away.

Nobody drives such a call again, so whoever is left in it would hear nothing for as long as a call may last.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.errors import Unavailable
from controlplane.base.ids import LegId, call_of_leg
from controlplane.callserver.outlet import Outlet
from controlplane.callserver.ports import Archive
from controlplane.switch.link import LinkLost

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Of one node."""

    outlet: Outlet
    archive: Archive

    async def end(self, legs: Collection[LegId]) -> frozenset[LegId]:
        """End those of these that are A-legs of calls that are over, and answer them; none while that is not known."""
        calls = {call_of_leg(leg): leg for leg in legs}
        try:
            over = await self.archive.over(list(calls)) if calls else ()
        except Unavailable as error:
            log.warning("calls_unknown", extra={"node": self.outlet.node.name, "problem": str(error)})
            return frozenset()
        for call in over:
            log.warning("leg_left_over", extra={"node": self.outlet.node.name, "call": call})
            with suppress(LinkLost):
                self.outlet.end(calls[call], Cause.NORMAL_TEMPORARY_FAILURE)
        return frozenset(calls[call] for call in over)
