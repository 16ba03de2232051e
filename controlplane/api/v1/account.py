"""The account that a key belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Request, Response
from pydantic import Field

from controlplane.api.openapi import v1_router
from controlplane.api.requests import read
from controlplane.api.v1.fields import iso
from controlplane.base.ids import AccountId
from controlplane.services.accounts import get_account
from controlplane.store.database import Transaction

router = v1_router("account")


@dataclass(frozen=True, slots=True)
class AccountShape:
    """An account."""

    id: Annotated[str, Field(examples=["acc_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    name: str
    status: Literal["active", "suspended"]
    cps_limit: Annotated[int | None, Field(description="Calls per second; null: what the platform allows everyone.")]
    channel_cap: Annotated[int | None, Field(description="Simultaneous calls; null: what it allows everyone.")]
    created_at: str


@router.get("/account", name="get_account", response_model=AccountShape)
async def show_account(request: Request) -> Response:
    """The account of the key that asks."""
    return await read(request, _get, AccountShape)


async def _get(tx: Transaction, account_id: AccountId) -> AccountShape:
    account = await get_account(tx, account_id)
    return AccountShape(
        account.account_id, account.name, account.status, account.cps_limit, account.channel_cap,  # type: ignore[arg-type]
        iso(account.created_at),
    )  # fmt: skip
