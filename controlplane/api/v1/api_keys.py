"""API keys: make one, see which there are, end one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field

from controlplane.api.openapi import problems, v1_router
from controlplane.api.requests import change, read
from controlplane.api.v1.fields import Body, Name, iso, maybe_iso
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.api.v1.results import Done
from controlplane.base.ids import AccountId
from controlplane.services.api_keys import ApiKey, issue_api_key, list_api_keys, revoke_api_key
from controlplane.store.database import Transaction
from controlplane.store.pages import Window

router = v1_router("account")


class NewKey(Body):
    """A key to be made."""

    name: Name


@dataclass(frozen=True, slots=True)
class KeyShape:
    """A key, but for what makes it one."""

    id: Annotated[str, Field(examples=["key_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    name: str
    prefix: Annotated[str, Field(description="How the key begins, to tell keys apart.", examples=["cpk_3vJk0y"])]
    created_at: str
    revoked_at: str | None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key that was made. It is told this once."""

    id: str
    name: str
    api_key: Annotated[str, Field(examples=["cpk_…"])]


@router.post("/api-keys", name="create_api_key", response_model=MadeKey, status_code=201)
async def make_key(request: Request, body: NewKey) -> Response:
    """Make a further key for this account."""
    return await change(request, partial(_make, body.name), MadeKey, status=201)


@router.get("/api-keys", name="list_api_keys", response_model=PageOf[KeyShape])
async def show_keys(request: Request, asked: Annotated[Paged, Query()]) -> Response:
    """Keys, newest first, those that were revoked too."""
    return await read(request, partial(_list, asked.window()), PageOf[KeyShape])


@router.delete("/api-keys/{key_id}", name="revoke_api_key", response_model=Done, responses=problems(404))
async def end_key(request: Request, key_id: str) -> Response:
    """Revoke a key, be it the one that asks. It may work for another second."""
    return await change(request, partial(_revoke, key_id), Done)


async def _make(name: str, tx: Transaction, account_id: AccountId) -> MadeKey:
    issued = await issue_api_key(tx, account_id, name)
    return MadeKey(issued.key_id, name, issued.secret)


async def _list(window: Window, tx: Transaction, account_id: AccountId) -> PageOf[KeyShape]:
    return page_of(await list_api_keys(tx, account_id, window), _shape)


async def _revoke(key_id: str, tx: Transaction, account_id: AccountId) -> Done:
    await revoke_api_key(tx, account_id, key_id)
    return Done("The key is revoked.")


def _shape(key: ApiKey) -> KeyShape:
    return KeyShape(key.key_id, key.name, key.prefix, iso(key.created_at), maybe_iso(key.revoked_at))
