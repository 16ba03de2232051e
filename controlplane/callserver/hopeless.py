"""Calls that nobody can go on with: their legs end, and they get a verdict that says so.

Without one they would count against limits for ever, and every server to come would fall over them.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.errors import Conflict, Unavailable
from controlplane.base.ids import LegId
from controlplane.callserver.outlet import Outlet
from controlplane.callserver.ports import Archive, Stored
from controlplane.switch.link import LinkLost

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Hopeless:
    """Of one node."""

    outlet: Outlet
    archive: Archive
    driven: Container[LegId]  # A-legs of calls that are
    _calls: list[Stored] = field(default_factory=list)

    def sift(self, stored: Iterable[Stored]) -> list[Stored]:
        """Those of which a call can be made; the others are added, unless we go on with them all the same."""
        found = list(stored)
        self._calls += [one for one in found if not one.is_readable and one.facts.a_leg not in self.driven]
        return [one for one in found if one.is_readable]

    def add(self, call: Stored) -> None:
        """End this one when there is time for it."""
        self._calls.append(call)

    async def end_all(self) -> frozenset[LegId]:
        """End those that were added; answers their A-legs. One that cannot be put on record now is found again."""
        calls, self._calls = self._calls, []
        for call in calls:
            self._end(call.facts.a_leg)
            try:
                b_legs = await self.archive.write_off(call.facts)
            except (Unavailable, Conflict) as error:
                log.warning("call_not_written_off", extra={"call": call.facts.call, "problem": str(error)})
                continue
            for leg in b_legs:
                self._end(leg)
        return frozenset(call.facts.a_leg for call in calls)

    def _end(self, leg: LegId) -> None:
        with suppress(LinkLost):
            self.outlet.end(leg, Cause.NORMAL_TEMPORARY_FAILURE)
