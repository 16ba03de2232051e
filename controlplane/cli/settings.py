"""`callplane settings`: every setting, its meaning, its default, and what holds now."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from controlplane.settings import SettingRow


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("settings")(_settings)


def _settings(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not a table.")] = False
) -> None:
    """List the settings: meaning, default, current value.

    They are CALLPLANE_… environment variables. Secrets are masked.
    """
    from controlplane.cli.environment import read_settings
    from controlplane.settings import list_settings, unknown_names

    rows = list_settings(read_settings(), os.environ)
    unknown = unknown_names(os.environ)
    if as_json:
        print(json.dumps({"settings": [asdict(row) for row in rows], "unknown": unknown}, indent=2))
        return
    print(settings_table(rows, width=shutil.get_terminal_size((120, 24)).columns))
    for name in unknown:
        print(f"\n{name} is set but is no setting: misspelt?")


def settings_table(rows: list[SettingRow], *, width: int) -> str:
    """Four columns: name, current value (a long one stands alone), source, meaning with the default."""
    names = max(len(row.name) for row in rows)
    values = min(28, max(len(row.value or "-") for row in rows))
    meaning_at = names + values + len("environment") + 6
    lines = [f"{'SETTING':{names}}  {'NOW':{values}}  {'SOURCE':11}  MEANING (default)"]
    for row in rows:
        head = f"{row.name:{names}}  {row.value or '-':{values}}  {row.source:11}  "
        meaning = textwrap.wrap(f"{row.meaning} ({row.default or 'unset'})", max(30, width - meaning_at))
        if len(head) > meaning_at:  # a long value has the line to itself
            lines.append(head.rstrip())
            head = " " * meaning_at
        lines += [head + meaning[0], *(" " * meaning_at + line for line in meaning[1:])]
    return "\n".join(lines)
