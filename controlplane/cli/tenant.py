"""`callplane tenant` and `callplane number`: what an operator sets up for tenants."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from controlplane.settings import Settings
    from controlplane.store.database import Transaction


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tenant = typer.Typer(name="tenant", help="Accounts of tenants.", no_args_is_help=True)
    tenant.callback()(_group)
    tenant.command("create")(_create)
    app.add_typer(tenant)
    number = typer.Typer(name="number", help="Phone numbers of the platform.", no_args_is_help=True)
    number.callback()(_group)
    number.command("add")(_add)
    app.add_typer(number)


def _group() -> None:
    """What an operator sets up for tenants."""


def _create(
    name: Annotated[str, typer.Argument(help="What people call the tenant.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False,
) -> None:
    """Create a tenant. The API key is shown this once."""
    from controlplane.services.accounts import create_account
    from controlplane.wiring.places import vault_of

    settings = _settings()
    created = _in_database(settings, lambda tx: create_account(tx, vault_of(settings), name))
    facts = {"account_id": created.account_id, "auth_token": created.auth_token, "api_key": created.api_key}
    _show(facts, as_json=as_json)


def _add(
    number: Annotated[str, typer.Argument(help="In E.164 form, such as +15550002222.")],
    tenant: Annotated[str, typer.Option(help="The account that gets it (acc_…).")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False,
) -> None:
    """Give a tenant a number that callers can dial; the tenant sets it to an app through the API."""
    from controlplane.services.numbers import add_number

    added = _in_database(_settings(), lambda tx: add_number(tx, tenant, number))
    _show({"number_id": added.number_id, "number": added.number}, as_json=as_json)


def _settings() -> Settings:
    from controlplane.cli.environment import read_settings
    from controlplane.wiring.places import with_running_database

    return with_running_database(read_settings())


def _in_database(settings: Settings, work: Callable[[Transaction], Awaitable[Any]]) -> Any:
    from controlplane.store.database import Database
    from controlplane.wiring.places import database_url_of

    async def run() -> Any:
        async with Database(database_url_of(settings), size=1) as db, db.transaction() as tx:
            return await work(tx)

    return asyncio.run(run())


def _show(facts: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):12} {value}")
