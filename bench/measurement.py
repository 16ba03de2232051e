"""One measured value and a peer's, and the way two things are timed against each other."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ROUNDS = 15


@dataclass(frozen=True, slots=True)
class Measurement:
    """`ratio` is `value` over `peer_value`: of rates more is better, of costs less. Without a peer it is None."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None

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
            }
        )


def rates(count: int, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """How many of `count` things each does in a second of this process's CPU time: medians of rounds taken in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for work in (ours, theirs):
        work()
    for _ in range(ROUNDS):
        for spent, work in zip(seconds, (ours, theirs), strict=True):
            begin = time.process_time()
            work()
            spent.append(time.process_time() - begin)
    return count / statistics.median(seconds[0]), count / statistics.median(seconds[1])


def print_all(measurements: Iterator[Measurement]) -> None:
    """Print each as it comes."""
    for measurement in measurements:
        print(measurement.line(), flush=True)


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
