"""Whether new calls are taken: by what the process can still do in time. Pure: measurements in, a judgement out.

Each measure has a bound; its share of that says how near it is. New calls are refused when the nearest measure stays
at its bound, and taken again when all have been well below theirs for a while: one bad moment changes nothing, and a
server at its limit does not change its mind with every call. There is no clock here; a look is what one is (`gate.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeAlias

CLOSES_AFTER = 2  # looks in a row at a bound
CLOSES_AT_ONCE = 4.0  # times a bound
OPENS_AFTER = 4  # looks in a row below
OPENS_BELOW = 0.5  # of every bound

Shares: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured since the last look.

    `loop_lag_s`: how late what was due ran. `link_delay_s`: how late news of the node is read, and commands get there.
    `commit_s`: how long what must be on record before the next command took, or takes already. `documents`: requests to
    applications that are under way or wait for a place.
    """

    loop_lag_s: float = 0.0
    link_delay_s: float = 0.0
    commit_s: float = 0.0
    documents: float = 0.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of each is too much; 0: never."""

    loop_lag_s: float = 0.2
    link_delay_s: float = 0.3
    commit_s: float = 1.0
    documents: float = 2000


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether new calls are taken, and what may change that soon.

    `pressure` is the greatest share of a bound at the last look; `looks` how many in a row spoke for the opposite.
    """

    is_open: bool = True
    pressure: float = 0.0
    looks: int = 0


def shares_of(load: Load, bounds: Bounds) -> Shares:
    """What share of its bound each measure has; those without a bound are left out."""
    pairs = [(one.name, getattr(load, one.name), getattr(bounds, one.name)) for one in fields(Bounds)]
    return {name: measured / bound for name, measured, bound in pairs if bound > 0}


def judge(before: Admission, shares: Shares) -> Admission:
    """Decide after one more look."""
    pressure = max(shares.values(), default=0.0)
    if before.is_open:
        looks = before.looks + 1 if pressure >= 1 else 0
        closes = looks >= CLOSES_AFTER or pressure >= CLOSES_AT_ONCE
        return Admission(is_open=False, pressure=pressure) if closes else Admission(pressure=pressure, looks=looks)
    looks = before.looks + 1 if pressure < OPENS_BELOW else 0
    return Admission(is_open=looks >= OPENS_AFTER, pressure=pressure, looks=0 if looks >= OPENS_AFTER else looks)


def room(admission: Admission, most: int) -> int:
    """How many of at most `most` waiting calls to take up now: fewer from half a bound on, none when closed."""
    if not admission.is_open:
        return 0
    spare = min(1.0, 2 * (1 - admission.pressure))
    return max(1, int(most * spare)) if most > 0 else 0
