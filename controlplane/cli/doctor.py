"""`callplane doctor`: what is missing on this machine, and how to get it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from controlplane.cli.checks import Check
    from controlplane.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(_doctor)


def _doctor(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False) -> None:
    """Say what is missing on this machine.

    With each thing that is missing stands how to get it. The exit code is 0 if `callplane up` can work.
    """
    from controlplane.cli.checks import State
    from controlplane.cli.environment import read_settings

    checks = examine(read_settings())
    is_fit = all(check.state is not State.MISSING for check in checks)
    if as_json:
        print(json.dumps({"fit": is_fit, "checks": [asdict(check) for check in checks]}, indent=2))
    else:
        print("\n".join(map(_line, checks)))
        print(
            "\n`callplane up` can work." if is_fit else "\n`callplane up` cannot work until what is missing is there."
        )
    raise typer.Exit(0 if is_fit else 1)


def examine(settings: Settings) -> list[Check]:
    """Look at everything."""
    from controlplane.cli import checks, reach

    return [
        checks.check_python(checks.this_python()),
        checks.check_postgresql(settings),
        checks.check_voice(settings),
        checks.check_freeswitch(settings),
        checks.check_sipp(),
        checks.check_data(settings.data),
        checks.check_spool(settings.data / "spool"),
        checks.check_descriptors(),
        *reach.check_ports(settings),
        *reach.check_reachable(settings),
    ]


def _line(check: Check) -> str:
    line = f"{check.state:8} {check.name}: {check.found}"
    return f"{line}\n{'':9}-> {check.remedy}" if check.remedy else line
