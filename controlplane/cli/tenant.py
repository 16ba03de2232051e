"""`callplane tenant` and `callplane number`: what an operator sets up for tenants."""

from __future__ import annotations

import asyncio
import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from controlplane.services.accounts import Account
    from controlplane.settings import Settings
    from controlplane.store.database import Transaction


class Status(StrEnum):
    """Whether a tenant may do anything."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tenant = typer.Typer(name="tenant", help="Accounts of tenants.", no_args_is_help=True)
    tenant.callback()(_group)
    tenant.command("create")(_create)
    tenant.command("change")(_change)
    tenant.command("list")(_list)
    app.add_typer(tenant)
    number = typer.Typer(name="number", help="Phone numbers of the platform.", no_args_is_help=True)
    number.callback()(_group)
    number.command("add")(_add)
    number.command("remove")(_remove)
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


def _change(
    tenant: Annotated[str, typer.Argument(help="The account (acc_…).")],
    *,
    cps: Annotated[int | None, typer.Option(min=0, help="Calls per second; 0: what all have.")] = None,
    channels: Annotated[int | None, typer.Option(min=0, help="Simultaneous calls; 0: what all have.")] = None,
    status: Annotated[Status | None, typer.Option(help="A suspended tenant's keys and numbers do nothing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, not lines.")] = False,
) -> None:
    """Set a tenant's limits, suspend it or take that back. What is not given stays."""
    from controlplane.services.accounts import change_account, get_account

    async def change(tx: Transaction) -> Account:
        now = await get_account(tx, tenant)
        return await change_account(
            tx,
            tenant,
            status=now.status if status is None else status.value,
            cps_limit=now.cps_limit if cps is None else cps or None,
            channel_cap=now.channel_cap if channels is None else channels or None,
        )

    _show(_facts_of(_in_database(_settings(), change)), as_json=as_json)


def _list(*, as_json: Annotated[bool, typer.Option("--json", help="JSON objects, one a line.")] = False) -> None:
    """List all tenants, newest first."""
    from controlplane.services.accounts import list_accounts
    from controlplane.store.pages import MOST, Window

    async def read(tx: Transaction) -> list[Account]:
        accounts: list[Account] = []
        cursor = None
        while True:
            page = await list_accounts(tx, Window(MOST, after=cursor))
            accounts += page.data
            if not page.has_more:
                return accounts
            cursor = page.next_cursor

    for account in _in_database(_settings(), read):
        _show(_facts_of(account), as_json=as_json)


def _facts_of(account: Account) -> dict[str, str | int | None]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "status": account.status,
        "cps_limit": account.cps_limit,
        "channel_cap": account.channel_cap,
    }


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


def _remove(
    number_id: Annotated[str, typer.Argument(help="The number's id (vn_…).")],
    tenant: Annotated[str, typer.Option(help="The account that has it (acc_…).")],
) -> None:
    """Take a number from a tenant: nobody answers it then."""
    from controlplane.services.numbers import remove_number

    _in_database(_settings(), lambda tx: remove_number(tx, tenant, number_id))


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


def _show(facts: Mapping[str, str | int | None], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):12} {'what all have' if value is None else value}")
