from __future__ import annotations

import pytest

from controlplane.services.schedule import Attempt, Next, next_of


def attempt(status: int | None, retry_after_s: int | None = None) -> Attempt:
    return Attempt(status, None if status else "timeout", 10, retry_after_s)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_a_success_is_delivered(status: int) -> None:
    assert next_of(attempt(status), 0) == Next("delivered")


@pytest.mark.parametrize("status", [None, 100, 301, 307, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status: int | None) -> None:
    assert next_of(attempt(status), 0) == Next("pending", 5)


def test_a_receiver_that_is_gone_is_asked_no_more() -> None:
    assert next_of(attempt(410), 0) == Next("dead")


def test_the_tenth_failure_is_the_last_after_some_three_days() -> None:
    delays = [next_of(attempt(500), failures).delay_s for failures in range(9)]
    assert delays == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert sum(delays) == 75 * 3600 + 35 * 60 + 5
    assert next_of(attempt(500), 9) == Next("dead")


def test_a_receiver_may_ask_for_more_time_but_not_for_ever_and_not_for_less() -> None:
    assert next_of(attempt(503, 60), 0) == Next("pending", 60)
    assert next_of(attempt(503, 1), 1) == Next("pending", 300)
    assert next_of(attempt(503, 10**9), 0) == Next("pending", 86_400)
    assert next_of(attempt(503, -5), 0) == Next("pending", 5)
