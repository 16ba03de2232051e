"""How long a file that was fetched may be played without asking again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.files.freshness import fresh_s


@pytest.mark.parametrize(
    ("cache_control", "age", "seconds"),
    [
        ("", "", 60.0),
        ("public", "", 60.0),
        ("max-age=300", "", 300.0),
        ("public, Max-Age=300", "", 300.0),
        ('max-age="300"', "", 300.0),
        ("max-age=300", "100", 200.0),
        ("max-age=300", "400", 0.0),
        ("max-age=300", "soon", 300.0),
        ("max-age=300, s-maxage=10", "", 10.0),
        ("max-age=0", "", 0.0),
        ("max-age=never", "", 0.0),
        ("max-age=-5", "", 0.0),
        ("max-age=٣", "", 0.0),
        ("max-age=300, max-age=5", "", 300.0),
        ("max-age=99999999999999999999", "", 86_400.0),
        ("no-cache", "", 0.0),
        ("no-store, max-age=300", "", 0.0),
        ("private, max-age=300", "", 0.0),
    ],
)
def test_the_server_says_how_long(cache_control: str, age: str, seconds: float) -> None:
    assert fresh_s(cache_control, age) == seconds


@given(st.text(), st.text())
def test_whatever_it_says_it_is_between_nothing_and_a_day(cache_control: str, age: str) -> None:
    assert 0.0 <= fresh_s(cache_control, age) <= 86_400.0
