from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from controlplane.base.errors import Conflict, NotFound
from controlplane.services.accounts import change_account, create_account, get_account, list_accounts, read_auth_token
from controlplane.services.api_keys import KeyRefused, authenticate, issue_api_key, list_api_keys, revoke_api_key
from controlplane.services.webhook_secrets import (
    SecretInUse,
    create_secret,
    delete_secret,
    get_secret,
    list_secrets,
    rename_secret,
    rotate_secret,
)
from controlplane.store.database import Database
from controlplane.store.pages import Window
from controlplane.store.vault import BadKey, SecretUnreadable, Vault, key_in, parse_key
from tests.postgres.sample import VAULT, rows


async def test_a_new_account_gets_a_token_and_a_key_that_work(db: Database, url: str) -> None:
    async with db.transaction() as tx:
        made = await create_account(tx, VAULT, "Acme", cps_limit=3)
        assert await read_auth_token(tx, VAULT, made.account_id) == made.auth_token
        holder = await authenticate(tx, made.api_key)
        account = await get_account(tx, made.account_id)
    assert (holder.account_id, holder.scopes) == (made.account_id, ["*"])
    assert (account.name, account.status, account.cps_limit, account.channel_cap) == ("Acme", "active", 3, None)
    kept = str(rows(url, "SELECT auth_token, digest, prefix FROM accounts JOIN api_keys USING (account_id)"))
    assert made.auth_token not in kept
    assert made.api_key not in kept


async def test_a_revoked_key_is_refused_and_the_others_are_not(db: Database) -> None:
    async with db.transaction() as tx:
        made = await create_account(tx, VAULT, "Acme")
        second = await issue_api_key(tx, made.account_id, "second", ["calls:read"])
        revoked = await revoke_api_key(tx, made.account_id, second.key_id)
        again = await revoke_api_key(tx, made.account_id, second.key_id)
        assert revoked.revoked_at is not None
        assert again == revoked
        with pytest.raises(KeyRefused):
            await authenticate(tx, second.secret)
        await authenticate(tx, made.api_key)
        keys = await list_api_keys(tx, made.account_id, Window())
    assert [key.name for key in keys.data] == ["second", "first"]


@pytest.mark.parametrize("key", ["", "cpk_wrong", "x" * 5000, "\0", "\udcff"])
async def test_what_is_no_key_is_refused(db: Database, key: str) -> None:
    async with db.transaction() as tx:
        with pytest.raises(KeyRefused):
            await authenticate(tx, key)


async def test_keys_of_a_suspended_account_are_refused(db: Database) -> None:
    async with db.transaction() as tx:
        made = await create_account(tx, VAULT, "Acme")
        await change_account(tx, made.account_id, status="suspended", cps_limit=None, channel_cap=None)
        with pytest.raises(KeyRefused):
            await authenticate(tx, made.api_key)


async def test_accounts_are_listed_page_by_page_in_both_directions(db: Database) -> None:
    async with db.transaction() as tx:
        made = [(await create_account(tx, VAULT, str(number))).account_id for number in range(5)]
    newest_first = sorted(made, reverse=True)
    async with db.transaction() as tx:
        first = await list_accounts(tx, Window(2))
        second = await list_accounts(tx, Window(2, after=first.next_cursor))
        third = await list_accounts(tx, Window(2, after=second.next_cursor))
        back = await list_accounts(tx, Window(2, before=third.previous_cursor))
        home = await list_accounts(tx, Window(2, before=back.previous_cursor))
    pages = [[account.account_id for account in page.data] for page in (first, second, third, back, home)]
    assert pages == [newest_first[:2], newest_first[2:4], newest_first[4:], newest_first[2:4], newest_first[:2]]
    assert [page.has_more for page in (first, second, third, back, home)] == [True, True, False, True, True]
    assert (first.previous_cursor, third.next_cursor, home.previous_cursor) == (None, None, None)


async def test_a_webhook_secret_is_readable_until_it_is_rotated(db: Database) -> None:
    async with db.transaction() as tx:
        account = (await create_account(tx, VAULT, "Acme")).account_id
        made = await create_secret(tx, VAULT, account, "main")
        assert made.value.startswith("whsec_")
        assert await get_secret(tx, VAULT, account, made.secret_id) == made
        rotated = await rotate_secret(tx, VAULT, account, made.secret_id)
        renamed = await rename_secret(tx, VAULT, account, made.secret_id, "other")
        assert rotated.value != made.value
        assert rotated.rotated_at is not None
        assert (renamed.name, renamed.value, renamed.rotated_at) == ("other", rotated.value, rotated.rotated_at)
        assert (await list_secrets(tx, VAULT, account, Window())).data == (renamed,)
        await delete_secret(tx, VAULT, account, made.secret_id)
        with pytest.raises(NotFound):
            await get_secret(tx, VAULT, account, made.secret_id)


async def test_two_secrets_of_one_name_are_a_conflict(db: Database) -> None:
    async with db.transaction() as tx:
        account = (await create_account(tx, VAULT, "Acme")).account_id
        await create_secret(tx, VAULT, account, "main")
    with pytest.raises(Conflict):
        async with db.transaction() as tx:
            await create_secret(tx, VAULT, account, "main")


def test_a_sealed_secret_opens_only_with_its_key_and_for_its_row() -> None:
    old, new = b"o" * 32, b"n" * 32
    sealed = Vault([old]).seal("secret", bound="row 1")
    assert Vault([new, old]).open(sealed, bound="row 1") == "secret"
    for vault, bound in ((Vault([old]), "row 2"), (Vault([new]), "row 1")):
        with pytest.raises(SecretUnreadable):
            vault.open(sealed, bound=bound)
    with pytest.raises(SecretUnreadable):
        Vault([old]).open(sealed[:-1], bound="row 1")


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    key = key_in(tmp_path / "data" / "secret.key")
    assert key_in(tmp_path / "data" / "secret.key") == key
    assert (tmp_path / "data" / "secret.key").stat().st_mode & 0o777 == 0o600


def test_processes_that_begin_at_once_agree_on_one_key(tmp_path: Path) -> None:
    """`callplane up` starts three of them in a folder where there is none."""
    with ThreadPoolExecutor(8) as threads:
        for attempt in range(50):
            together = Barrier(8)

            def ask(path: Path = tmp_path / str(attempt), together: Barrier = together) -> bytes:
                together.wait()
                return key_in(path)

            asked = [threads.submit(ask) for _ in range(8)]
            assert len({one.result() for one in asked}) == 1


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_what_is_no_key_cannot_be_parsed(text: str) -> None:
    with pytest.raises(BadKey):
        parse_key(text)


def test_a_secret_in_use_is_named_a_conflict() -> None:
    assert SecretInUse.http_status == 409
