"""The API on a real database, asked over ASGI."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from controlplane.api.app import build_app
from controlplane.api.parts import ApiParts
from controlplane.services.accounts import create_account
from controlplane.services.numbers import add_number
from controlplane.store.database import Database
from tests.postgres.api.tenants import PUBLIC_URL, Tenant
from tests.postgres.api.things import LabellingEditor, ListingMeter, MemoryStorage, StillClock
from tests.postgres.sample import VAULT


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def meter() -> ListingMeter:
    return ListingMeter()


@pytest.fixture
def parts(db: Database, storage: MemoryStorage, clock: StillClock, meter: ListingMeter) -> ApiParts:
    return ApiParts(db, clock, VAULT, storage, LabellingEditor(), PUBLIC_URL, link_keys=(b"l" * 32,), meter=meter)


@pytest.fixture
def app(parts: ApiParts) -> FastAPI:
    return build_app(parts)


@pytest.fixture
async def anyone(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """A client without a key."""
    async with AsyncClient(transport=ASGITransport(app), base_url=PUBLIC_URL) as client:
        yield client


@pytest.fixture
async def acme(db: Database, anyone: AsyncClient) -> Tenant:
    """A tenant with the number +15550001111."""
    return await tenant(db, anyone, "Acme", "+15550001111")


@pytest.fixture
async def globex(db: Database, anyone: AsyncClient) -> Tenant:
    """Another, with the number +15550003333."""
    return await tenant(db, anyone, "Globex", "+15550003333")


@pytest.fixture
async def initech(db: Database, anyone: AsyncClient) -> Tenant:
    """A third, with the number +15550004444."""
    return await tenant(db, anyone, "Initech", "+15550004444")


async def tenant(db: Database, client: AsyncClient, name: str, number: str) -> Tenant:
    async with db.transaction() as tx:
        made = await create_account(tx, VAULT, name)
        number_id = (await add_number(tx, made.account_id, number, "Desk")).number_id
    return Tenant(client, made.account_id, made.api_key, number_id)
