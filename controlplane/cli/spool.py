"""`callplane spool`: what waits on this machine for the database, and what could not be written."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from controlplane.wiring.spools import AsideEntry


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("spool")(_spool)


def _spool(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False) -> None:
    """Show what of calls waits in the data folder for PostgreSQL, and what was set aside there.

    What waits is written by the call servers of this machine when PostgreSQL is back, whoever left it. Entries that
    were set aside found others in their places: a call server of another machine had gone on with the call.
    """
    from controlplane.cli.environment import read_settings
    from controlplane.wiring.spools import look_at_spools

    report = look_at_spools(read_settings())
    if as_json:
        print(json.dumps(asdict(report), indent=2))
        return
    for one in report.waiting:
        unread = "" if one.is_readable else ", and what cannot be read with CALLPLANE_SECRET_KEY"
        print(f"{one.process}: {one.entries} entries wait, {one.size_bytes} bytes{unread}")
    for entry in report.aside:
        print(f"{entry.file}: {_told(entry)}")
    if not report.waiting and not report.aside:
        print("nothing waits")


def _told(entry: AsideEntry) -> str:
    if entry.call is None:
        return "cannot be read"
    return f"{entry.call} entry {entry.seq}, {entry.kind}"
