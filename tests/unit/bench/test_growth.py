"""Whether a long run of calls leaves anything, from states that are made up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bench.callers import Load
from bench.growth import MB, State, bytes_per_call, growth

CALLS, MINUTES = 90_000, 30
LOAD = Load(CALLS, failed=0, answered_ms=[], lasted_ms=[], took_s=1800.0)
IDLE = State(
    at_s=0.0, calls=0, memory_mb=105.0, descriptors=27, threads=8, tasks=32, channels=0, rows=0,
    worker_memory_mb=111.0, worker_descriptors=17, node_memory_mb=70.0, node_descriptors=60,
)  # fmt: skip


def states(memory_mb: Callable[[int], float], name: str = "memory_mb", minutes: int = MINUTES) -> list[State]:
    """Of a run at 50 calls a second; `memory_mb` is what there is more after so many minutes."""
    made = [replace(IDLE, at_s=60.0 * minute, calls=3000 * minute) for minute in range(minutes + 1)]
    return [_with_more(one, name, memory_mb(one.calls // 3000)) for one in made]


def _with_more(state: State, name: str, more_mb: float) -> State:
    more: dict[str, Any] = {name: getattr(state, name) + more_mb}
    return replace(state, **more)


def last(**changed: int) -> list[State]:
    return [*states(lambda _: 0.0)[:-1], replace(IDLE, at_s=1800.0, calls=CALLS, **changed)]


def leaking(bytes_a_call: float) -> Callable[[int], float]:
    # What calls in progress hold comes and goes by a megabyte.
    return lambda minute: minute * 3000 * bytes_a_call / MB + (minute % 3 - 1) * 0.5


def test_a_run_that_leaves_nothing_has_no_problem() -> None:
    assert list(growth(states(lambda _: 0.0), LOAD)) == []


def test_the_slope_is_told_for_each_process() -> None:
    found = bytes_per_call(states(lambda minute: minute * 3000 * 100 / MB, "worker_memory_mb"))

    assert found == {"memory_mb": 0.0, "worker_memory_mb": 100.0, "node_memory_mb": 0.0}


@pytest.mark.parametrize("name", ["memory_mb", "worker_memory_mb"])
def test_a_hundred_and_thirty_bytes_a_call_are_a_leak_in_ours(name: str) -> None:
    (problem,) = growth(states(leaking(130), name), LOAD)

    assert problem.startswith(f"{name} per call in bytes is 13")


def test_a_kilobyte_a_call_is_a_leak_in_a_media_node() -> None:
    (problem,) = growth(states(leaking(1000), "node_memory_mb"), LOAD)

    assert problem.startswith("node_memory_mb per call in bytes is ")


@pytest.mark.parametrize(
    "memory_mb",
    [
        lambda minute: 8.0 * (minute >= 15),
        lambda minute: 20.0 * (minute == 12),
        lambda minute: 12.0 * (0 < minute < MINUTES),
        lambda minute: 10.0 * (1 - 0.5**minute),
        lambda minute: 2.0 * (minute % 2),
    ],
    ids=["an arena at half time", "many calls at once", "calls in progress", "caches that fill", "up and down"],
)
def test_what_comes_once_or_goes_again_is_no_leak(memory_mb: Callable[[int], float]) -> None:
    assert list(growth(states(memory_mb), LOAD)) == []


def test_a_short_run_may_fill_its_caches() -> None:
    load = Load(6000, failed=0, answered_ms=[], lasted_ms=[], took_s=120.0)

    assert list(growth(states(lambda minute: float(minute), minutes=2), load)) == []


@pytest.mark.parametrize(
    ("ended", "load", "problems"),
    [
        (last(descriptors=43), LOAD, ["descriptors is 43, more than 42"]),
        (last(worker_descriptors=33), LOAD, ["worker_descriptors is 33, more than 32"]),
        (last(node_descriptors=76), LOAD, ["node_descriptors is 76, more than 75"]),
        (last(threads=11, tasks=43), LOAD, ["threads is 11, more than 10", "tasks is 43, more than 42"]),
        (last(channels=1, rows=2), LOAD, ["channels is 1, more than 0", "rows is 2, more than 0"]),
        (last(), replace(LOAD, failed=91), ["failed_part is 0.00101111, more than 0.001"]),
    ],
)
def test_what_is_left_is_told(ended: Sequence[State], load: Load, problems: list[str]) -> None:
    assert list(growth(ended, load)) == problems
