"""Numbers: operators give them to tenants, tenants let them lead to apps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from controlplane.base.e164 import E164, parse_e164
from controlplane.base.errors import NotFound
from controlplane.base.ids import NUMBER, AccountId
from controlplane.services.accounts import get_account
from controlplane.services.apps import get_app
from controlplane.store.database import Transaction, unknown_is_not_found
from controlplane.store.minting import new_id
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query

_INSERT, _FIND, _LIST = query("insert_number"), query("find_number"), query("list_numbers")
_RENAME, _DELETE = query("rename_number"), query("delete_number")
_LEAD, _LEAD_ALL = query("lead_numbers"), query("lead_all_numbers")


@dataclass(frozen=True, slots=True)
class Number:
    """A number of a tenant's, and the app it leads to."""

    number_id: str
    account_id: AccountId
    number: E164
    name: str
    created_at: datetime
    app_id: str | None
    app_name: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which numbers of an account: those of some apps (None: any), with a text in number or name ("": any)."""

    app_ids: tuple[str, ...] | None = None
    search: str = ""


async def add_number(tx: Transaction, account_id: str, number: str, name: str = "") -> Number:
    """Give a tenant a number (E.164); raises InvalidNumber, NotFound, Conflict if somebody has it."""
    account = await get_account(tx, account_id)
    number_id = new_id(NUMBER)
    await tx.run(_INSERT, number_id=number_id, account_id=account.account_id, number=parse_e164(number), name=name)
    return await get_number(tx, account_id, number_id)


async def remove_number(tx: Transaction, account_id: str, number_id: str) -> None:
    """Take a number from its tenant; raises NotFound."""
    await get_number(tx, account_id, number_id)
    await tx.run(_DELETE, account_id=account_id, number_id=number_id)


async def get_number(tx: Transaction, account_id: str, number_id: str) -> Number:
    """One number; raises NotFound."""
    return await tx.one(Number, _FIND, account_id=account_id, number_id=number_id)


async def list_numbers(
    tx: Transaction,
    account_id: str,
    window: Window,
    which: Filter = Filter(),
) -> Page[Number]:
    """An account's numbers, newest first."""
    with unknown_is_not_found():
        return await read_page(
            tx, Number, _LIST, "number_id", window, account_id=account_id, app_ids=_listed(which), search=which.search
        )


async def rename_number(tx: Transaction, account_id: str, number_id: str, name: str) -> Number:
    """Call a number something else; raises NotFound."""
    await get_number(tx, account_id, number_id)
    await tx.run(_RENAME, account_id=account_id, number_id=number_id, name=name)
    return await get_number(tx, account_id, number_id)


async def assign_numbers(tx: Transaction, account_id: str, number_ids: Sequence[str], app_id: str | None) -> int:
    """Let numbers lead to an app, or with None to none; all or nothing: raises NotFound if one is not the account's."""
    if app_id is not None:
        await get_app(tx, account_id, app_id)
    wanted = sorted(set(number_ids))
    with unknown_is_not_found():
        changed = await tx.run(_LEAD, account_id=account_id, number_ids=wanted, app_id=app_id)
    if changed != len(wanted):
        raise NotFound("Some of these numbers are not in this account.")
    return changed


async def assign_all_numbers(tx: Transaction, account_id: str, which: Filter, app_id: str | None) -> int:
    """The same for every number that a list with this filter shows; answers how many."""
    if app_id is not None:
        await get_app(tx, account_id, app_id)
    with unknown_is_not_found():
        return await tx.run(
            _LEAD_ALL, account_id=account_id, app_ids=_listed(which), search=which.search, app_id=app_id
        )


def _listed(which: Filter) -> list[str] | None:
    return None if which.app_ids is None else list(which.app_ids)
