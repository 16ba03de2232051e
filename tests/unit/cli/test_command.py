"""The command as a person runs it: a process of its own, with its exit codes and its one line of advice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from controlplane.cli.main import main

ROOT = Path(__file__).parents[3]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLPLANE_")}
    return subprocess.run(
        [sys.executable, "-m", "controlplane.cli", *arguments],
        cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True,
    )  # fmt: skip


def test_no_arguments_show_the_commands_and_exit_2() -> None:
    done = run()
    assert done.returncode == 2
    assert "doctor" in done.stderr
    assert "settings" in done.stderr


def test_an_unknown_command_is_one_line_and_exit_2() -> None:
    done = run("dance")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "callplane: No such command 'dance'. See `callplane --help`.\n"


def test_a_bad_setting_is_one_line_that_names_the_variable_and_exit_2() -> None:
    done = run("settings", CALLPLANE_METRICS_PORT="many")
    assert done.returncode == 2
    assert done.stderr.startswith("callplane: CALLPLANE_METRICS_PORT: ")
    assert done.stderr.count("\n") == 1


def test_a_bad_secret_is_not_repeated_in_the_error() -> None:
    done = run("settings", CALLPLANE_METRICS_PORT="hunter2")
    assert "hunter2" not in done.stderr


def test_settings_as_json_has_every_row_and_the_misspelt_names() -> None:
    done = run("settings", "--json", CALLPLANE_CPS_LIMIT="3", CALLPLANE_CPSLIMIT="3")
    answer = json.loads(done.stdout)
    row = next(row for row in answer["settings"] if row["name"] == "CALLPLANE_CPS_LIMIT")
    assert (row["default"], row["value"], row["source"]) == ("10", "3", "environment")
    assert answer["unknown"] == ["CALLPLANE_CPSLIMIT"]


def test_settings_table_fits_the_width_of_the_terminal() -> None:
    done = run("settings", COLUMNS="120")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_doctor_answers_the_same_in_its_exit_code_and_in_json(tmp_path: Path) -> None:
    done = run("doctor", "--json", CALLPLANE_DATA=str(tmp_path), CALLPLANE_NODES="127.0.0.1")
    answer = json.loads(done.stdout)
    assert (answer["fit"], done.returncode) == (False, 1)
    assert {
        "name": "media node", "state": "missing", "found": "127.0.0.1 is not name=host:port",
        "remedy": "correct CALLPLANE_NODES",
    } in answer["checks"]  # fmt: skip


def test_help_imports_neither_settings_nor_servers() -> None:
    heavy = "{'pydantic', 'jinja2', 'fastapi', 'celery', 'psycopg', 'aiohttp', 'prometheus_client'}"
    code = f"import sys, controlplane.cli.main as m; m.build_app(); sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_main_exits_0_after_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: callplane ")
