"""When new calls are taken: the rules, without a clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.callserver.admission import (
    CLOSES_AFTER,
    CLOSES_AT_ONCE,
    OPENS_AFTER,
    OPENS_BELOW,
    Admission,
    Bounds,
    Load,
    judge,
    room,
    shares_of,
)

PRESSURES = st.floats(0, 10)
LOOKS = st.lists(PRESSURES, max_size=60)


def after(*pressures: float, before: Admission | None = None) -> Admission:
    """What is judged after looks with these pressures."""
    admission = before or Admission()
    for pressure in pressures:
        admission = judge(admission, {"commit_s": pressure})
    return admission


CLOSED = after(CLOSES_AT_ONCE)


def test_each_measure_has_a_share_of_its_bound() -> None:
    bounds = Bounds(loop_lag_s=0.2, link_delay_s=0.5, commit_s=1.0, documents=100)
    shares = shares_of(Load(loop_lag_s=0.1, link_delay_s=0.5, commit_s=0.0, documents=150), bounds)
    assert shares == {"loop_lag_s": 0.5, "link_delay_s": 1.0, "commit_s": 0.0, "documents": 1.5}


def test_a_measure_without_a_bound_never_counts() -> None:
    assert shares_of(Load(9, 9, 9, 9), Bounds(0, 0, 0, 0)) == {}
    assert judge(Admission(), {}) == Admission()


def test_the_greatest_share_is_the_pressure() -> None:
    assert judge(Admission(), {"loop_lag_s": 0.2, "commit_s": 0.7}).pressure == 0.7


def test_one_bad_moment_changes_nothing() -> None:
    assert after(1.5) == Admission(pressure=1.5, looks=1)
    assert after(1.5, 0.9, 1.5).is_open


def test_new_calls_are_refused_when_a_bound_is_kept_at() -> None:
    assert not after(*[1.0] * CLOSES_AFTER).is_open


def test_new_calls_are_refused_at_once_when_it_is_far_too_much() -> None:
    assert not after(CLOSES_AT_ONCE).is_open


def test_new_calls_are_taken_again_when_it_was_quiet_for_a_while() -> None:
    assert not after(*[0.4] * (OPENS_AFTER - 1), before=CLOSED).is_open
    assert after(*[0.4] * OPENS_AFTER, before=CLOSED) == Admission(pressure=0.4)
    assert not after(0.4, 0.4, 0.6, 0.4, 0.4, before=CLOSED).is_open


@given(LOOKS)
def test_between_half_a_bound_and_a_bound_it_stays_as_it_is(pressures: list[float]) -> None:
    between = [OPENS_BELOW + pressure / 20 - 1e-9 if pressure else OPENS_BELOW for pressure in pressures]
    between = [min(max(one, OPENS_BELOW), 0.999) for one in between]
    assert after(*between).is_open
    assert not after(*between, before=CLOSED).is_open


@given(LOOKS)
def test_it_always_closes_under_lasting_load_and_always_opens_when_that_is_over(pressures: list[float]) -> None:
    some = after(*pressures)
    assert not after(*[1.0] * CLOSES_AFTER, before=some).is_open
    assert after(*[0.0] * OPENS_AFTER, before=some).is_open


@given(LOOKS)
def test_it_changes_its_mind_at_most_once_in_so_many_looks(pressures: list[float]) -> None:
    """Closing may follow opening at once, where it is far too much; opening never follows closing sooner."""
    admission, closed_for = Admission(), 0
    for pressure in pressures:
        was_open, admission = admission.is_open, judge(admission, {"commit_s": pressure})
        closed_for = 0 if was_open else closed_for + 1
        assert was_open or not admission.is_open or closed_for >= OPENS_AFTER


@given(LOOKS, PRESSURES)
def test_more_load_never_opens(pressures: list[float], more: float) -> None:
    some = after(*pressures)
    low, high = sorted((more, pressures[-1] if pressures else 0.0))
    assert after(low, before=some).is_open or not after(high, before=some).is_open


@given(PRESSURES, st.integers(0, 200))
def test_the_queue_is_paced_by_the_same_measure(pressure: float, most: int) -> None:
    given_room = room(Admission(pressure=pressure), most)
    assert 0 <= given_room <= most
    assert bool(given_room) == bool(most)  # what is open moves
    assert room(Admission(is_open=False, pressure=pressure), most) == 0
    if pressure <= OPENS_BELOW:
        assert given_room == most
