"""Webhook secrets: what signs the events of the apps that refer to one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from controlplane.base.errors import Conflict
from controlplane.base.ids import SECRET
from controlplane.store.database import Transaction
from controlplane.store.minting import new_id, new_token
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query
from controlplane.store.vault import Vault

_INSERT, _FIND, _LIST = query("insert_secret"), query("find_secret"), query("list_secrets")
_CHANGE, _DELETE = query("change_secret"), query("delete_secret")


class SecretInUse(Conflict):
    """Apps still sign with this secret."""

    slug = "secret-in-use"


@dataclass(frozen=True, slots=True)
class WebhookSecret:
    """A secret and its value (`whsec_…`)."""

    secret_id: str
    name: str
    value: str = field(repr=False)
    created_at: datetime
    rotated_at: datetime | None
    app_count: int


@dataclass(frozen=True, slots=True)
class _Row:
    secret_id: str
    name: str
    created_at: datetime
    rotated_at: datetime | None
    sealed: bytes
    app_count: int


async def create_secret(tx: Transaction, vault: Vault, account_id: str, name: str) -> WebhookSecret:
    """Add a secret; raises Conflict if the account has one of that name."""
    secret_id = new_id(SECRET)
    sealed = vault.seal(new_token("whsec_"), bound=secret_id)
    await tx.run(_INSERT, secret_id=secret_id, account_id=account_id, name=name, value=sealed)
    return await get_secret(tx, vault, account_id, secret_id)


async def get_secret(tx: Transaction, vault: Vault, account_id: str, secret_id: str) -> WebhookSecret:
    """One secret; raises NotFound."""
    return _opened(vault, await tx.one(_Row, _FIND, account_id=account_id, secret_id=secret_id))


async def list_secrets(
    tx: Transaction, vault: Vault, account_id: str, window: Window, search: str = ""
) -> Page[WebhookSecret]:
    """An account's secrets, newest first; with a text in the name ("": any)."""
    page = await read_page(tx, _Row, _LIST, "secret_id", window, account_id=account_id, search=search)
    opened = tuple(_opened(vault, row) for row in page.data)
    return Page(opened, page.next_cursor, page.previous_cursor, page.has_more)


async def rotate_secret(tx: Transaction, vault: Vault, account_id: str, secret_id: str) -> WebhookSecret:
    """Give a secret a new value, used from now on; raises NotFound."""
    await get_secret(tx, vault, account_id, secret_id)
    sealed = vault.seal(new_token("whsec_"), bound=secret_id)
    await tx.run(_CHANGE, account_id=account_id, secret_id=secret_id, value=sealed, name=None)
    return await get_secret(tx, vault, account_id, secret_id)


async def rename_secret(tx: Transaction, vault: Vault, account_id: str, secret_id: str, name: str) -> WebhookSecret:
    """Call a secret something else; raises NotFound, Conflict."""
    await get_secret(tx, vault, account_id, secret_id)
    await tx.run(_CHANGE, account_id=account_id, secret_id=secret_id, value=None, name=name)
    return await get_secret(tx, vault, account_id, secret_id)


async def delete_secret(tx: Transaction, vault: Vault, account_id: str, secret_id: str) -> None:
    """Take a secret away; raises NotFound, SecretInUse."""
    if (await get_secret(tx, vault, account_id, secret_id)).app_count:
        raise SecretInUse
    await tx.run(_DELETE, account_id=account_id, secret_id=secret_id)


def _opened(vault: Vault, row: _Row) -> WebhookSecret:
    value = vault.open(row.sealed, bound=row.secret_id)
    return WebhookSecret(row.secret_id, row.name, value, row.created_at, row.rotated_at, row.app_count)
