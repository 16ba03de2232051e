"""What happened when after a media node was killed, in milliseconds: the parts of a silence.

`noticed` its links ended; `declared` it counts as dead; `copied` the other has what it knew of its legs; `recorded` its
calls are the other's; `dropped` it has nothing any more; `recovered` FreeSWITCH has brought the legs up; `parked` all
can be spoken to; `settled` nothing is left to do. Those of many (quantiles): `offered` a party is offered audio by the
other node, `spoken_to` a call is driven again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.chaos.report import percentile

_ONCE = {"node_lost": "noticed", "node_declared_lost": "declared", "node_settled": "settled"}
_STEPS = ("copied", "recorded", "dropped", "recovered", "parked")
PARTS = (50, 95)


def moments_of(lines: Iterable[str], offered_ms: Iterable[int], *, node: str, killed_at: float) -> dict[str, int]:
    """Read it from what the call servers logged (`name: {…}`), and from when parties were offered audio."""
    moments: dict[str, int] = {}
    spoken_to: list[int] = []
    for at_ms, told in _told(lines, killed_at):
        if told["event"] == "call_moved":
            spoken_to.append(at_ms)
        if told.get("node") != node:
            continue
        if (name := _ONCE.get(told["event"])) is not None:
            moments.setdefault(name, at_ms)
        if told["event"] == "node_adopted":
            moments |= _steps(told, at_ms)
    return moments | _quantiles("offered", offered_ms) | _quantiles("spoken_to", spoken_to)


def _told(lines: Iterable[str], killed_at: float) -> Iterable[tuple[int, Mapping[str, Any]]]:
    for line in lines:
        try:
            told = json.loads(line.partition(": ")[2])
        except ValueError:
            continue
        at_ms = round(1000 * (datetime.fromisoformat(told["time"]).timestamp() - killed_at))
        if at_ms >= 0:
            yield at_ms, told


def _steps(told: Mapping[str, Any], end_ms: int) -> dict[str, int]:
    at_ms = end_ms - sum(told[f"{step}_ms"] for step in _STEPS)
    moments = {}
    for step in _STEPS:
        moments[step] = at_ms = at_ms + told[f"{step}_ms"]
    return moments


def _quantiles(name: str, values: Iterable[int]) -> dict[str, int]:
    ordered = sorted(values)
    return {f"{name}_p{part}": percentile(ordered, part) for part in PARTS} if ordered else {}


def table(kills: Sequence[Mapping[str, int]]) -> str:
    """When each was, over many kills."""
    names = list(dict.fromkeys(name for kill in kills for name in kill))
    names.sort(key=lambda name: min(kill[name] for kill in kills if name in kill))
    rows = [("ms after the kill", *(f"p{part}" for part in PARTS))]
    for name in names:
        ordered = sorted(kill[name] for kill in kills if name in kill)
        rows.append((name, *(str(percentile(ordered, part)) for part in PARTS)))
    return "\n".join(f"{name:<20}" + "".join(f"{value:>8}" for value in values) for name, *values in rows)
