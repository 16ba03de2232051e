"""What processes hold at moments of a long run of calls, and whether it grows with them.

Memory is judged by the slope: of each two moments what was added for each call between them, and of all these the
median (Theil and Sen's estimator). A cache that fills, an arena that the allocator takes at once, and what calls in
progress hold at one moment are in few of the pairs; what leaks with every call is in all of them. A least-squares line
follows a single step of 8 MB amid 90,000 calls with 140 bytes a call, which would have to be allowed to everybody.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from bench.callers import Load

MOST_FAILED = 0.001
MB = 1024 * 1024
# What may be there at the end beyond what was there after the warm-up: a connection that is kept, or one of a pool.
# What leaks with every call is thousands by then.
MORE_DESCRIPTORS, MORE_THREADS, MORE_TASKS = 15, 2, 10


@dataclass(frozen=True, slots=True)
class State:
    """What is held at one moment, after so many `calls` since the warm-up.

    Rows are those of calls, deliveries, recordings and requests that are not through.
    """

    at_s: float
    calls: int
    memory_mb: float
    descriptors: int
    threads: int
    tasks: int
    channels: int
    rows: int
    worker_memory_mb: float
    worker_descriptors: int
    node_memory_mb: float
    node_descriptors: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """Bytes that a process may keep of each call, and once, whatever the number of calls."""

    per_call_bytes: int
    once_mb: float

    def bytes_per_call(self, calls: int) -> float:
        """What the slope may be over so many calls."""
        return self.per_call_bytes + self.once_mb * MB / max(1, calls)


# 64 bytes are the smallest object of Python's with a field or two, and 5 MB in 90,000 calls. What may come once is what
# short runs need: after ten thousand calls caches and arenas still fill.
OURS = Allowed(per_call_bytes=64, once_mb=4)
# FreeSWITCH keeps the memory pools of sessions for later ones, and glibc an arena for each of the threads that come and
# go with calls: both go on filling for a while whoever drives it.
NODES = Allowed(per_call_bytes=256, once_mb=32)
MEMORY: Mapping[str, Allowed] = {"memory_mb": OURS, "worker_memory_mb": OURS, "node_memory_mb": NODES}


def bytes_per_call(states: Sequence[State]) -> dict[str, float]:
    """What each process's memory grows by for each call; `states` are at least two, at different numbers of calls."""
    return {name: round(_slope_mb(states, name) * MB, 1) for name in MEMORY}


def _slope_mb(states: Sequence[State], name: str) -> float:
    held: list[tuple[int, float]] = [(state.calls, getattr(state, name)) for state in states]
    return statistics.median(
        (after_mb - before_mb) / (after - before)
        for (before, before_mb), (after, after_mb) in combinations(held, 2)
        if after > before
    )


def growth(states: Sequence[State], load: Load) -> Iterator[str]:
    """What is wrong, one line each. The first of the states and the last are those without a call."""
    before, after = states[0], states[-1]
    slopes = bytes_per_call(states)
    most = (
        *((f"{name} per call in bytes", slopes[name], MEMORY[name].bytes_per_call(after.calls)) for name in MEMORY),
        ("descriptors", after.descriptors, before.descriptors + MORE_DESCRIPTORS),
        ("worker_descriptors", after.worker_descriptors, before.worker_descriptors + MORE_DESCRIPTORS),
        ("node_descriptors", after.node_descriptors, before.node_descriptors + MORE_DESCRIPTORS),
        ("threads", after.threads, before.threads + MORE_THREADS),
        ("tasks", after.tasks, before.tasks + MORE_TASKS),
        ("channels", after.channels, 0),
        ("rows", after.rows, 0),
        ("failed_part", load.failed_part, MOST_FAILED),
    )
    yield from (f"{name} is {value:g}, more than {limit:g}" for name, value, limit in most if value > limit)
