"""Calls that this process drives no more: whoever takes them over, it itself as well, reads on record where they stand.

Until their last entry is on record what is read there is old. Nobody waits for that: such a call is left out when
others are taken up, and found by the sweep (sweeping.py) if it is ours still when its record is whole.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from controlplane.base.clock import Clock
from controlplane.base.ids import CallId, LegId, call_of_leg, leg_of_call, shard_of
from controlplane.callserver.call import LiveCall
from controlplane.callserver.ports import Archive
from controlplane.callserver.turns import in_turns

SETTLE_S = 1.0  # how long entries may take; a database that is away takes them later, or never
SETTLE_LOOK_S = 0.005
DROPPED_AT_ONCE = 100  # calls: some milliseconds


@dataclass(slots=True)
class Unsaved:
    """Calls that no keeper of this process drives any more and whose last entry is not on record yet, or refused.

    Contains their A-legs.
    """

    _waiting: dict[CallId, int] = field(default_factory=dict)  # how many entries: it may have been taken up anew
    _readings: list[set[CallId]] = field(default_factory=list)

    def add(self, call: LiveCall) -> None:
        """A call is driven no more."""
        for old in self._readings:
            old.add(call.id)
        if call.saved is not None and not call.saved.done():
            self._waiting[call.id] = self._waiting.get(call.id, 0) + 1
            call.saved.add_done_callback(partial(self._saved, call.id))

    def __contains__(self, a_leg: LegId) -> bool:
        return call_of_leg(a_leg) in self._waiting

    def has_any(self, shards: Container[int]) -> bool:
        """Say whether there are any of these shards."""
        return any(shard_of(leg_of_call(call)) in shards for call in self._waiting)

    @contextmanager
    def reading(self) -> Iterator[Container[CallId]]:
        """Calls of which old news is read in here: those that wait, and those that are driven no more meanwhile."""
        old = set(self._waiting)
        self._readings.append(old)
        try:
            yield old
        finally:
            self._readings = [one for one in self._readings if one is not old]

    def _saved(self, call: CallId, _: object) -> None:
        self._waiting[call] -= 1
        if not self._waiting[call]:
            del self._waiting[call]


async def let_go(
    calls: Sequence[LiveCall], shards: frozenset[int], unsaved: Unsaved, archive: Archive, clock: Clock
) -> None:
    """Drive these calls no more, and wait a while until what was written of all calls of these shards can be read."""
    async for call in in_turns(calls, at_once=DROPPED_AT_ONCE):
        call.drop()
    until_s = clock.monotonic_s() + SETTLE_S
    while unsaved.has_any(shards) or (calls and not archive.is_settled):
        if clock.monotonic_s() >= until_s:
            return
        await clock.sleep(SETTLE_LOOK_S)
