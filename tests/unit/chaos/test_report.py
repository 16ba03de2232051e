"""The table of many runs."""

from __future__ import annotations

from tests.chaos.report import percentile, table


def test_percentiles_are_values_that_were_seen() -> None:
    assert [percentile([10, 20, 30, 40], part) for part in (1, 50, 95, 100)] == [10, 20, 40, 40]


def test_a_row_says_how_many_runs_of_a_fault_did_not_balance() -> None:
    line = {"fault": "kill", "others": "second", "node": "emulator", "balanced": True, "takeover_ms": 80}
    lines = [line, {**line, "balanced": False, "takeover_ms": None}, {**line, "others": "restart"}]
    assert [row.split() for row in table(lines).splitlines()[1:]] == [
        ["kill", "second", "emulator", "2", "1", "1", "80", "80"],
        ["kill", "restart", "emulator", "1", "1", "0", "80", "80"],
        ["all", "3", "2", "1"],
    ]
