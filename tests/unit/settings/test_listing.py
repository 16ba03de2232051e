"""The list of settings: what is shown, what is masked, where a value came from."""

from __future__ import annotations

import pytest

from controlplane.settings import SettingRow, Settings, list_settings, unknown_names


def row_of(name: str, environment: dict[str, str]) -> SettingRow:
    return next(row for row in list_settings(Settings(), environment) if row.name == name)


def test_a_setting_that_nobody_set_shows_its_default() -> None:
    row = row_of("CALLPLANE_DOOR_WATCHDOG_S", {})
    assert (row.default, row.value, row.source) == ("10", "10", "default")


def test_a_setting_from_the_environment_shows_both_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLPLANE_DOOR_WATCHDOG_S", "7")
    row = row_of("CALLPLANE_DOOR_WATCHDOG_S", {"CALLPLANE_DOOR_WATCHDOG_S": "7"})
    assert (row.default, row.value, row.source) == ("10", "7", "environment")


def test_secrets_are_masked_whether_optional_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLPLANE_DATABASE_URL", "postgresql://u:hidden@db/x")
    rows = list_settings(Settings(), {"CALLPLANE_DATABASE_URL": ""})
    shown = {row.name: (row.default, row.value) for row in rows}
    assert shown["CALLPLANE_DATABASE_URL"] == (None, "********")
    assert shown["CALLPLANE_ESL_PASSWORD"] == ("********", "********")
    assert "hidden" not in repr(rows)


def test_a_switch_is_shown_as_one_writes_it() -> None:
    assert row_of("CALLPLANE_ALLOW_PRIVATE_HOOKS", {}).value == "0"


def test_every_setting_has_a_meaning() -> None:
    assert [row.name for row in list_settings(Settings(), {}) if not row.meaning] == []


def test_misspelt_names_are_told_and_others_left_alone() -> None:
    names = {"CALLPLANE_DATTA": "x", "callplane_data": "x", "PATH": "x"}
    assert unknown_names(names) == ["CALLPLANE_DATTA"]
