"""Measured values, for people."""

from __future__ import annotations

from bench.measurement import Measurement, table


def test_a_table_has_a_line_for_each_value() -> None:
    measured = [
        Measurement("wait_p50", 24.0, "ms", "its own dialplan", 4.0, 6.0, (5.5, 6.5), "ratio 1 or less"),
        Measurement("pages", 1234.5678, "count"),
    ]

    assert table(measured).splitlines() == [
        "          value        peer's  ratio  aim              peer",
        "wait_p50  24 ms        4       6      ratio 1 or less  its own dialplan",
        "pages     1,235 count",
    ]


def test_a_table_of_nothing_is_its_head() -> None:
    assert table([]).split() == ["value", "peer's", "ratio", "aim", "peer"]
