"""One measured value and a peer's, and the way two things are timed against each other."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

ROUNDS = 15

Pair = tuple[float, float]  # ours, theirs, of one round


class Skipped(Exception):
    """A measurement that this machine cannot make; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """`ratio` is `value` over `peer_value`: of rates more is better, of costs less. Without a peer it is None.

    `spread` is the lowest and the highest of the rounds: ratios, or values where there is no peer. `aim` says in words
    what is to be reached.
    """

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    spread: Pair | None = None
    aim: str | None = None

    def line(self) -> str:
        """One JSON object on one line."""
        return json.dumps(
            {
                "name": self.name,
                "value": _rounded(self.value),
                "unit": self.unit,
                "peer": self.peer,
                "peer_value": _rounded(self.peer_value),
                "ratio": _rounded(self.ratio),
                "spread": None if self.spread is None else [_rounded(each) for each in self.spread],
                "aim": self.aim,
            }
        )


def in_turn(*sides: Callable[[], float], rounds: int = ROUNDS) -> list[tuple[float, ...]]:
    """What each side took, round by round. One round more goes first and does not count."""
    return [tuple(side() for side in sides) for _ in range(rounds + 1)][1:]


def compared(
    name: str, unit: str, rounds: Sequence[tuple[float, ...]], peer: str, aim: str | None = None
) -> Measurement:
    """Medians of the rounds of two sides; the ratio is the median of the rounds' own."""
    ratios = [ours / theirs for ours, theirs in rounds]
    value, peer_value = (statistics.median(side) for side in zip(*rounds, strict=True))
    spread = min(ratios), max(ratios)
    return Measurement(name, value, unit, peer, peer_value, statistics.median(ratios), spread, aim)


def alone(name: str, unit: str, rounds: Sequence[float], aim: str | None = None) -> Measurement:
    """The median of the rounds of something that has no peer."""
    return Measurement(name, statistics.median(rounds), unit, spread=(min(rounds), max(rounds)), aim=aim)


def cpu_s(work: Callable[[], object]) -> Callable[[], float]:
    """Do a piece of work and answer the CPU time of this process that it took."""

    def timed() -> float:
        begin_s = time.process_time()
        work()
        return time.process_time() - begin_s

    return timed


def rates(
    name: str,
    count: int,
    unit: str,
    peer: str,
    ours: Callable[[], object],
    theirs: Callable[[], object],
    aim: str | None = None,
) -> Measurement:
    """How many of `count` things each does in a second of this process's CPU time."""
    rounds = in_turn(cpu_s(ours), cpu_s(theirs))
    return compared(name, unit, [(count / own_s, count / their_s) for own_s, their_s in rounds], peer, aim)


def quantile(values: Sequence[float], part: float) -> float:
    """The value below which `part` (0 to 1) of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def print_all(measurements: Iterator[Measurement]) -> None:
    """Print each as it comes."""
    for measurement in measurements:
        print(measurement.line(), flush=True)


def table(measurements: Sequence[Measurement]) -> str:
    """The same for people: a line each, with what belongs below each other below each other."""
    rows = [("", "value", "peer's", "ratio", "aim", "peer"), *map(_cells, measurements)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _cells(of: Measurement) -> tuple[str, ...]:
    value, peer_value, ratio = (_for_people(one) for one in (of.value, of.peer_value, of.ratio))
    return of.name, f"{value} {of.unit}", peer_value, ratio, of.aim or "", of.peer or ""


def _for_people(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
