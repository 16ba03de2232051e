"""Tenants: make, read, change. For operators; a tenant reads its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from controlplane.base.ids import ACCOUNT, AccountId
from controlplane.services.api_keys import issue_api_key
from controlplane.store.database import Transaction
from controlplane.store.minting import new_id, new_token
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query
from controlplane.store.vault import Vault

_INSERT, _FIND, _LIST = query("insert_account"), query("find_account"), query("list_accounts")
_CHANGE, _TOKEN = query("change_account"), query("find_auth_token")


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant. `cps_limit` and `channel_cap` None: what the process is set to. `status` is active or suspended."""

    account_id: AccountId
    name: str
    status: str
    cps_limit: int | None
    channel_cap: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What its maker is told, once: the key cannot be read again."""

    account_id: AccountId
    auth_token: str = field(repr=False)
    api_key: str = field(repr=False)


async def create_account(
    tx: Transaction, vault: Vault, name: str, *, cps_limit: int | None = None, channel_cap: int | None = None
) -> NewAccount:
    """Add a tenant with its auth token (it signs what we send) and a first API key."""
    account_id = AccountId(new_id(ACCOUNT))
    auth_token = new_token()
    await tx.run(
        _INSERT,
        account_id=account_id,
        name=name,
        auth_token=vault.seal(auth_token, bound=account_id),
        cps_limit=cps_limit,
        channel_cap=channel_cap,
    )
    issued = await issue_api_key(tx, account_id, "first")
    return NewAccount(account_id, auth_token, issued.secret)


async def get_account(tx: Transaction, account_id: str) -> Account:
    """One tenant; raises NotFound."""
    return await tx.one(Account, _FIND, account_id=account_id)


async def list_accounts(tx: Transaction, window: Window) -> Page[Account]:
    """Every tenant, newest first."""
    return await read_page(tx, Account, _LIST, "account_id", window)


async def change_account(
    tx: Transaction, account_id: str, *, status: str, cps_limit: int | None, channel_cap: int | None
) -> Account:
    """Set a tenant's status and limits; raises NotFound."""
    return await tx.one(
        Account, _CHANGE, account_id=account_id, status=status, cps_limit=cps_limit, channel_cap=channel_cap
    )


async def read_auth_token(tx: Transaction, vault: Vault, account_id: str) -> str:
    """What signs a tenant's requests; raises NotFound, SecretUnreadable."""
    sealed = await tx.one(_sealed, _TOKEN, account_id=account_id)
    return vault.open(sealed, bound=account_id)


def _sealed(sealed: bytes) -> bytes:
    return sealed
