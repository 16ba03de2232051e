"""The operator's commands, on a real database."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from controlplane.cli.main import main
from tests.postgres.sample import rows


@pytest.fixture(autouse=True)
def _environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLPLANE_DATABASE_URL", url)
    monkeypatch.setenv("CALLPLANE_SECRET_KEY", base64.b64encode(bytes(32)).decode())


def done(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    """What a command prints, which must succeed."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_tenants_limits_and_status_are_set_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    [made] = done(capsys, "tenant", "create", "Acme", "--json")
    account = {"account_id": made["account_id"], "name": "Acme"}
    change = ("tenant", "change", made["account_id"], "--json")

    usual = {"status": "active", "cps_limit": None, "channel_cap": None}
    assert done(capsys, "tenant", "list", "--json") == [{**account, **usual}]
    assert done(capsys, *change, "--cps", "3") == [{**account, **usual, "cps_limit": 3}]
    limited = {**account, "status": "suspended", "cps_limit": 3, "channel_cap": 5}
    assert done(capsys, *change, "--channels", "5", "--status", "suspended") == [limited]
    assert done(capsys, *change, "--cps", "0") == [{**limited, "cps_limit": None}]


def test_a_number_is_given_and_taken_away(capsys: pytest.CaptureFixture[str], url: str) -> None:
    [made] = done(capsys, "tenant", "create", "Acme", "--json")
    tenant = ("--tenant", made["account_id"])
    [added] = done(capsys, "number", "add", "+15550002222", *tenant, "--json")
    assert done(capsys, "number", "remove", added["number_id"], *tenant) == []
    assert rows(url, "SELECT * FROM numbers") == []


def test_what_is_not_there_is_one_line_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["tenant", "change", "acc_x", "--cps", "1"])
    assert (ended.value.code, capsys.readouterr().err) == (1, "callplane: There is no such thing in this account.\n")
