"""What is excused in a run of chaos, and until when."""

from __future__ import annotations

from tests.chaos.bounds import FOLLOWS_S
from tests.chaos.windows import UNREAD_S, Was, Windows, excused_until_s


def test_a_platform_that_takes_longer_is_not_excused_for_longer() -> None:
    assert excused_until_s(101.0, since_s=100.0, within_s=3.0) == 101.0 + FOLLOWS_S
    assert [excused_until_s(seen_s, 100.0, 3.0) for seen_s in (103.0, 110.0, 155.0)] == [103.0 + FOLLOWS_S] * 3


def test_a_call_that_was_asked_for_just_before_the_links_were_cut_may_have_been_dialled_just_after() -> None:
    windows = Windows()
    windows.add(10.0, 20.0, Was.UNDIALLED)
    assert windows.of(Was.UNDIALLED) == [(10.0 - UNREAD_S, 20.0)]


def test_windows_end_with_the_last_of_them_whatever_it_is_of() -> None:
    windows = Windows()
    assert windows.end_s == 0.0
    windows.add(10.0, 20.0, Was.UNSEEN, Was.UNAVAILABLE)
    windows.add(12.0, 15.0, Was.UNWRITABLE)
    assert windows.of(Was.UNSEEN) == [(10.0 - UNREAD_S, 20.0)]
    assert windows.of(Was.UNAVAILABLE) == [(10.0, 20.0)]
    assert windows.of(Was.SPEECHLESS) == []
    assert windows.end_s == 20.0
    assert [windows.holds(Was.UNWRITABLE, at_s) for at_s in (11.0, 12.0, 15.0, 16.0)] == [False, True, True, False]
