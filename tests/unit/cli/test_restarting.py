from __future__ import annotations

from controlplane.cli.restarting import Restarts


def test_pauses_grow_and_there_is_an_end() -> None:
    restarts = Restarts(most=7)

    pauses_s = [restarts.maybe_pause_s(number) for number in range(8)]

    assert pauses_s == [0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0, None]


def test_what_was_a_minute_ago_does_not_count() -> None:
    restarts = Restarts(most=2)

    assert [restarts.maybe_pause_s(at_s) for at_s in (0, 1, 59, 60, 61, 62)] == [0.2, 0.5, None, 0.5, 0.5, None]


def test_what_may_not_be_started_again_is_not() -> None:
    assert Restarts(most=0).maybe_pause_s(0) is None
