"""Rounds of a measurement in which less was done than was to be done."""

from __future__ import annotations

import pytest

from bench.callers import Load
from bench.sameness import why_not_served

WHOLE = [196.0] * 400


def load(lasted_ms: list[float], *, failed: int = 0) -> Load:
    return Load(calls=400, failed=failed, answered_ms=[], lasted_ms=lasted_ms, took_s=10.0)


@pytest.mark.parametrize(
    ("served", "documents"),
    [
        (load(WHOLE), 400),
        (load(WHOLE), None),
        (load([90.0] * 4 + [150.0] * 100 + WHOLE[104:]), 400),
        (load(WHOLE[1:], failed=1), 399),
        (load(WHOLE[1:], failed=1), 400),
    ],
    ids=["all", "no application", "SIPp was late", "one failed unasked", "one failed"],
)
def test_a_round_counts_if_each_call_was_asked_for_and_heard_its_file(served: Load, documents: int | None) -> None:
    assert why_not_served(served, file_ms=200, documents=documents) is None


@pytest.mark.parametrize(
    ("served", "documents", "why"),
    [
        (load(WHOLE), 399, "400 calls, 0 of them failed, asked for 399 documents"),
        (load(WHOLE), 401, "400 calls, 0 of them failed, asked for 401 documents"),
        (load([4.0] * 5 + WHOLE[5:]), 400, "5 of 400 calls ended before half a file of 200 ms was played"),
        (load(WHOLE[5:]), 400, "5 of 400 calls ended before half a file of 200 ms was played"),
        (load([176.0] * 400), 400, "calls lasted 176 ms and were to hear a file of 200 ms"),
        (load([]), 400, "nobody knows how long a call lasted"),
    ],
    ids=["one not asked for", "asked twice", "a file skipped", "times are missing", "cut short", "no times"],
)
def test_a_round_in_which_less_was_done_says_what(served: Load, documents: int, why: str) -> None:
    assert why_not_served(served, file_ms=200, documents=documents) == why
