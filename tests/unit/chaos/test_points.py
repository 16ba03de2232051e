"""When at a point of a call's life something is done."""

from __future__ import annotations

import itertools
from dataclasses import replace

from tests.chaos.points import POINTS, SPREAD_S, SPREADS


def test_twenty_runs_die_at_twenty_times_after_the_same_message() -> None:
    point = POINTS["after-hangup"]
    times = sorted(point.after_s_in(number) for number in range(1, SPREADS + 1))
    assert (times[0], round(times[-1], 9)) == SPREAD_S
    ratios = {round(later / earlier, 6) for earlier, later in itertools.pairwise(times)}
    assert len(ratios) == 1
    assert point.after_s_in(3) == point.after_s_in(3 + SPREADS)


def test_a_message_goes_on_where_what_comes_of_it_is_to_be_interrupted() -> None:
    spread = {name for name, point in POINTS.items() if point.is_spread}
    assert spread == {"after-claim", "before-document", "between-verbs", "after-hangup"}
    assert all(POINTS[name].goes_on for name in spread)


def test_a_point_that_is_not_spread_is_at_the_same_time_in_each_run() -> None:
    point = replace(POINTS["after-hangup"], is_spread=False, after_s=0.3)
    assert {point.after_s_in(number) for number in range(40)} == {0.3}
