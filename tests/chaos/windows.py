"""When what was right in a run: the spans of time for which the ledger excuses something.

A window is fixed when the fault is over. It ends when the platform was seen to be whole, at the latest with the bound
of the fault: no window becomes longer because the platform takes longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from tests.chaos.bounds import FOLLOWS_S

UNREAD_S = 0.5  # what came so shortly before a fault may not have been put on record, or not been passed on
Window = tuple[float, float]


class Was(Enum):
    """How it was in a window; the words are those of run.json."""

    UNAVAILABLE = "unavailable"  # nobody could take new calls
    UNSEEN = "unseen"  # nobody listened to some calls of the node
    UNWRITABLE = "unwritable"  # the API was away, or its database
    UNDIALLED = "undialled"  # whether the node was ever told to dial could not be known, and nobody dials twice
    FORKED = "forked"  # one server drove on of which nobody heard, and another went on from what was on record
    SPEECHLESS = "speechless"  # the application could not be asked, or nothing was kept of what it said


_PASSED_ON = (Was.UNSEEN, Was.UNDIALLED)


@dataclass(slots=True)
class Windows:
    """Those of a run; times are of the epoch."""

    told: list[tuple[Was, Window]] = field(default_factory=list)

    def add(self, from_s: float, to_s: float, *was: Was) -> None:
        """It was so from one time to another."""
        for one in was:
            self.told.append((one, (from_s - UNREAD_S if one in _PASSED_ON else from_s, to_s)))

    def of(self, was: Was) -> list[Window]:
        """Those in which it was so."""
        return [window for one, window in self.told if one is was]

    def holds(self, was: Was, at_s: float) -> bool:
        """Say whether it was so at a time."""
        return any(from_s <= at_s <= to_s for from_s, to_s in self.of(was))

    @property
    def end_s(self) -> float:
        """When nothing is excused any more; 0 if nothing ever was."""
        return max((to_s for _, (_, to_s) in self.told), default=0.0)


def excused_until_s(seen_s: float, since_s: float, within_s: float) -> float:
    """When what is excused ends, if the platform was seen to be whole at a time, and had so long from another one."""
    return min(seen_s, since_s + within_s) + FOLLOWS_S
