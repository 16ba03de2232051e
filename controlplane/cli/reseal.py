"""`callplane reseal`: the last step but one when the platform's key is changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from controlplane.services.reseal import Resealed


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reseal")(_reseal)


def _reseal() -> None:
    """Seal all stored secrets with the first key of CALLPLANE_SECRET_KEY.

    To change the key: add the new one at the end (OLD,NEW) and restart every process; put it first (NEW,OLD) and
    restart again; run this, until it says that nothing was left; take the old one away and restart once more.

    The exit code is 0 if everything is sealed with the first key now.
    """
    resealed = asyncio.run(_run())
    print(f"sealed anew: {resealed.resealed}; not readable with any key: {resealed.unreadable}")
    raise typer.Exit(1 if resealed.unreadable else 0)


async def _run() -> Resealed:
    from controlplane.cli.environment import read_settings
    from controlplane.services.reseal import reseal
    from controlplane.store.database import Database
    from controlplane.wiring.places import database_url_of, vault_of, with_running_database

    settings = with_running_database(read_settings())
    async with Database(database_url_of(settings), size=1) as db, db.transaction() as tx:
        return await reseal(tx, vault_of(settings))
