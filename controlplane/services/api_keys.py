"""API keys: issue, list, revoke, and find out whose one is. Only a digest is kept: 256 random bits need no salt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from controlplane.base.errors import Refused
from controlplane.base.ids import KEY, AccountId
from controlplane.store.database import Transaction
from controlplane.store.minting import new_id, new_token
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query

_INSERT, _REVOKE, _LIST = query("insert_api_key"), query("revoke_api_key"), query("list_api_keys")
_HOLDERS = query("find_key_holders")
_SHOWN = 10  # characters of a key that are kept readable, to tell keys apart
_LONGEST = 200
ALL_SCOPES = ("*",)


class KeyRefused(Refused):
    """The API key is missing, wrong or revoked."""

    slug = "api-key-refused"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its account sees it."""

    key_id: str
    name: str
    prefix: str
    scopes: list[str]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new key; the secret is told once."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Who asks: the account, the key it used, what the key may be used for."""

    account_id: AccountId
    key_id: str
    scopes: list[str]


async def issue_api_key(tx: Transaction, account_id: str, name: str, scopes: Sequence[str] = ALL_SCOPES) -> IssuedKey:
    """Add a key to an account."""
    key_id, secret = new_id(KEY), new_token("cpk_")
    await tx.run(
        _INSERT,
        key_id=key_id,
        account_id=account_id,
        name=name,
        prefix=secret[:_SHOWN],
        digest=digest_of(secret),
        scopes=list(scopes),
    )
    return IssuedKey(key_id, secret)


async def list_api_keys(tx: Transaction, account_id: str, window: Window) -> Page[ApiKey]:
    """An account's keys, newest first, revoked ones too."""
    return await read_page(tx, ApiKey, _LIST, "key_id", window, account_id=account_id)


async def revoke_api_key(tx: Transaction, account_id: str, key_id: str) -> ApiKey:
    """End a key at once; again changes nothing. Raises NotFound."""
    return await tx.one(ApiKey, _REVOKE, account_id=account_id, key_id=key_id)


async def authenticate(tx: Transaction, api_key: str) -> Holder:
    """Say who holds a key; raises KeyRefused if it is wrong, revoked, or its account suspended."""
    [found] = await find_holders(tx, [digest_of(api_key)])
    if isinstance(found, KeyRefused):
        raise found
    return found


async def find_holders(tx: Transaction, digests: Sequence[bytes]) -> list[Holder | KeyRefused]:
    """The same of many keys at once, by their digests (`digest_of`), in their order."""
    found = dict(await tx.all(_held, _HOLDERS, digests=list(set(digests))))
    return [found.get(digest) or KeyRefused() for digest in digests]


def _held(digest: bytes, account_id: AccountId, key_id: str, scopes: list[str]) -> tuple[bytes, Holder]:
    return digest, Holder(account_id, key_id, scopes)


def digest_of(api_key: str) -> bytes:
    """What is kept of a key, and enough to find it by."""
    return sha256(api_key[:_LONGEST].encode("utf-8", "surrogatepass")).digest()
