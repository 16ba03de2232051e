"""Webhook secrets: what signs the events of apps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import Field, model_validator

from controlplane.api.openapi import problems, v1_router
from controlplane.api.requests import change, parts_of, read
from controlplane.api.v1.fields import Body, Name, Text, iso, maybe_iso
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.api.v1.results import Done
from controlplane.base.ids import AccountId
from controlplane.services.webhook_secrets import (
    WebhookSecret,
    create_secret,
    delete_secret,
    get_secret,
    list_secrets,
    rename_secret,
    rotate_secret,
)
from controlplane.store.database import Transaction
from controlplane.store.pages import MOST, Window
from controlplane.store.vault import Vault

router = v1_router("secrets")


class NewSecret(Body):
    """A secret to be made."""

    name: Name


class ChangedSecret(Body):
    """What is to change of a secret."""

    name: Name | None = None
    rotate: Annotated[bool, Field(description="Give it a new value, used from now on.")] = False

    @model_validator(mode="after")
    def _something(self) -> ChangedSecret:
        if self.name is None and not self.rotate:
            raise ValueError("give a name, or set rotate")
        return self


class SecretQuery(Paged):
    """Which secrets."""

    search: Annotated[Text, Field(description="A text in the name.")] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 10


@dataclass(frozen=True, slots=True)
class SecretShape:
    """A webhook secret."""

    id: Annotated[str, Field(examples=["sec_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    name: str
    secret_value: Annotated[str, Field(examples=["whsec_…"])]
    created_at: str
    rotated_at: str | None
    needs_rotation: bool
    app_count: Annotated[int, Field(description="How many apps sign with it.")]


@router.post("/secrets", name="create_secret", response_model=SecretShape, status_code=201, responses=problems(409))
async def make_secret(request: Request, body: NewSecret) -> Response:
    """Make a secret."""
    return await change(request, partial(_create, parts_of(request).vault, body.name), SecretShape, status=201)


@router.get("/secrets", name="list_secrets", response_model=PageOf[SecretShape])
async def show_secrets(request: Request, asked: Annotated[SecretQuery, Query()]) -> Response:
    """Secrets, newest first."""
    use = partial(_list, parts_of(request).vault, asked.window(), asked.search)
    return await read(request, use, PageOf[SecretShape])


@router.get("/secrets/{secret_id}", name="get_secret", response_model=SecretShape, responses=problems(404))
async def show_secret(request: Request, secret_id: str) -> Response:
    """One secret."""
    return await read(request, partial(_get, parts_of(request).vault, secret_id), SecretShape)


@router.patch("/secrets/{secret_id}", name="update_secret", response_model=SecretShape, responses=problems(404, 409))
async def update_secret(request: Request, secret_id: str, body: ChangedSecret) -> Response:
    """Rename a secret, or give it a new value."""
    return await change(request, partial(_update, parts_of(request).vault, secret_id, body), SecretShape)


@router.delete("/secrets/{secret_id}", name="delete_secret", response_model=Done, responses=problems(404, 409))
async def remove_secret(request: Request, secret_id: str) -> Response:
    """Take a secret away that no app signs with."""
    return await change(request, partial(_delete, parts_of(request).vault, secret_id), Done)


async def _create(vault: Vault, name: str, tx: Transaction, account_id: AccountId) -> SecretShape:
    return _shape(await create_secret(tx, vault, account_id, name))


async def _list(
    vault: Vault, window: Window, search: str, tx: Transaction, account_id: AccountId
) -> PageOf[SecretShape]:
    return page_of(await list_secrets(tx, vault, account_id, window, search), _shape)


async def _get(vault: Vault, secret_id: str, tx: Transaction, account_id: AccountId) -> SecretShape:
    return _shape(await get_secret(tx, vault, account_id, secret_id))


async def _update(
    vault: Vault, secret_id: str, body: ChangedSecret, tx: Transaction, account_id: AccountId
) -> SecretShape:
    secret = await get_secret(tx, vault, account_id, secret_id)
    if body.name is not None:
        secret = await rename_secret(tx, vault, account_id, secret_id, body.name)
    if body.rotate:
        secret = await rotate_secret(tx, vault, account_id, secret_id)
    return _shape(secret)


async def _delete(vault: Vault, secret_id: str, tx: Transaction, account_id: AccountId) -> Done:
    await delete_secret(tx, vault, account_id, secret_id)
    return Done("The secret is gone.")


def _shape(secret: WebhookSecret) -> SecretShape:
    return SecretShape(
        id=secret.secret_id,
        name=secret.name,
        secret_value=secret.value,
        created_at=iso(secret.created_at),
        rotated_at=maybe_iso(secret.rotated_at),
        needs_rotation=False,
        app_count=secret.app_count,
    )
