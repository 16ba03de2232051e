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
from controlplane.base.ids import CallId, LegId, shard_of
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
    _calls: dict[CallId, Stored] = field(default_factory=dict)

    def sift(self, stored: Iterable[Stored]) -> list[Stored]:
        """Those of which a call can be made; the others are added, unless we go on with them all the same."""
        good: list[Stored] = []
        for one in stored:
            if one.is_readable and not one.may_have_been_dialled:
                self._calls.pop(one.facts.call, None)
                good.append(one)
            elif one.facts.a_leg not in self.driven:
                self.add(one)
        return good

    def add(self, call: Stored) -> None:
        """End this one when there is time for it."""
        self._calls[call.facts.call] = call

    async def end_all(self, shards: frozenset[int]) -> frozenset[LegId]:
        """End those of these shards that were added, all others are somebody else's; answers their A-legs.

        While the database is away none of them can be put on record: they are kept for another time.
        """
        waiting = [call for call in self._calls.values() if shard_of(call.facts.a_leg) in shards]
        self._calls.clear()
        for call in waiting:
            self._end(call.facts.a_leg)
        for number, call in enumerate(waiting):
            try:
                await self._write_off(call)
            except Unavailable as error:
                left = waiting[number:]
                self._calls |= {one.facts.call: one for one in left}
                log.warning("calls_not_written_off", extra={"calls": len(left), "problem": str(error)})
                break
            except Conflict as error:  # somebody goes on with it: it is found again, or is theirs
                log.warning("call_not_written_off", extra={"call": call.facts.call, "problem": str(error)})
        return frozenset(call.facts.a_leg for call in waiting)

    async def _write_off(self, call: Stored) -> None:
        cause = Cause.LOST if call.may_have_been_dialled else Cause.JOURNAL_UNREADABLE
        for leg in await self.archive.write_off(call.facts, cause):
            self._end(leg)

    def _end(self, leg: LegId) -> None:
        with suppress(LinkLost):
            self.outlet.end(leg, Cause.NORMAL_TEMPORARY_FAILURE)
