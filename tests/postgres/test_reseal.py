"""Changing the key that seals secrets."""

from __future__ import annotations

from controlplane.services.accounts import create_account, read_auth_token
from controlplane.services.idempotent import Answer, run_once
from controlplane.services.reseal import Resealed, reseal
from controlplane.services.webhook_secrets import create_secret, get_secret
from controlplane.store.database import Database
from controlplane.store.vault import Vault

OLD, NEW = b"o" * 32, b"n" * 32


async def test_everything_sealed_can_be_read_with_the_new_key_alone_in_the_end(db: Database) -> None:
    old, both, new = Vault([OLD]), Vault([NEW, OLD]), Vault([NEW])

    async def answer() -> Answer:
        return Answer(201, b"made")

    async with db.transaction() as tx:
        made = await create_account(tx, old, "Acme")
        secret = await create_secret(tx, old, made.account_id, "main")
        await run_once(tx, old, made.account_id, "key", b"request", answer)

        assert await reseal(tx, both) == Resealed(3, 0)

        assert await read_auth_token(tx, new, made.account_id) == made.auth_token
        assert await get_secret(tx, new, made.account_id, secret.secret_id) == secret
        assert await run_once(tx, new, made.account_id, "key", b"request", answer) == Answer(201, b"made")
        assert await reseal(tx, new) == Resealed(0, 0)


async def test_what_no_key_opens_is_left_and_counted(db: Database) -> None:
    async with db.transaction() as tx:
        await create_account(tx, Vault([b"x" * 32]), "Strange")
        made = await create_account(tx, Vault([OLD]), "Acme")
        assert await reseal(tx, Vault([NEW, OLD])) == Resealed(1, 1)
        assert await read_auth_token(tx, Vault([NEW]), made.account_id) == made.auth_token
