from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from controlplane.base.errors import Conflict, NotFound
from controlplane.base.ids import AccountId
from controlplane.services.accounts import change_account
from controlplane.services.apps import (
    AppDraft,
    AppFilter,
    change_app,
    create_app,
    delete_app,
    get_app,
    list_apps,
    update_app,
)
from controlplane.services.load_routing import Route, load_routing
from controlplane.services.numbers import (
    Filter,
    add_number,
    assign_all_numbers,
    assign_numbers,
    get_number,
    list_numbers,
    remove_number,
    rename_number,
)
from controlplane.services.webhook_secrets import SecretInUse, create_secret, delete_secret
from controlplane.store.database import Database
from controlplane.store.pages import Window
from controlplane.verbs.documents import Link, StatusCallback, StatusEvent
from tests.postgres.sample import VAULT, new_account

PLAIN = AppDraft("Plain", Link("http://app/flow"))
FULL = AppDraft(
    "Full",
    Link("http://app/flow", "GET"),
    Link("http://app/fallback"),
    "http://app/hook",
    "2025-08-01",
    StatusCallback(Link("http://app/status"), frozenset({StatusEvent.RINGING, StatusEvent.COMPLETED})),
    None,
    7,
    record=True,
)


async def test_an_app_is_read_as_it_was_written(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        secret = await create_secret(tx, VAULT, account, "main")
        draft = replace(FULL, secret_id=secret.secret_id)
        full, plain = await create_app(tx, account, draft), await create_app(tx, account, PLAIN)
        assert (full.draft, full.secret_name, full.number_count) == (draft, "main", 0)
        assert plain.draft == PLAIN
        listed = await list_apps(tx, account, Window())
        assert {app.app_id: app for app in listed.data} == {plain.app_id: plain, full.app_id: full}
        changed = await update_app(tx, account, full.app_id, replace(PLAIN, name="Changed"))
        assert changed.draft == replace(PLAIN, name="Changed")


async def test_apps_are_found_by_status_and_name(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        one = await create_app(tx, account, replace(PLAIN, name="Front desk"))
        two = await create_app(tx, account, replace(PLAIN, name="Back desk", status="inactive"))

        async def found(which: AppFilter) -> tuple[str, ...]:
            return tuple(app.app_id for app in (await list_apps(tx, account, Window(), which)).data)

        assert await found(AppFilter(search="DESK")) == (two.app_id, one.app_id)
        assert await found(AppFilter(("active",), "desk")) == (one.app_id,)
        assert await found(AppFilter(("inactive",))) == (two.app_id,)
        assert await found(AppFilter(search="%")) == ()


async def test_two_changes_of_one_app_at_once_both_stay(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        app_id = (await create_app(tx, account, PLAIN)).app_id
    first_holds_it = asyncio.Event()

    async def rename() -> None:
        async with db.transaction() as tx:
            await change_app(tx, account, app_id, lambda draft: replace(draft, name="Renamed"))
            first_holds_it.set()
            await asyncio.sleep(0)  # the other asks for it before this commits

    async def limit() -> None:
        await first_holds_it.wait()
        async with db.transaction() as tx:
            await change_app(tx, account, app_id, lambda draft: replace(draft, channel_limit=3))

    await asyncio.gather(rename(), limit())

    async with db.transaction() as tx:
        assert (await get_app(tx, account, app_id)).draft == replace(PLAIN, name="Renamed", channel_limit=3)
        with pytest.raises(NotFound):
            await change_app(tx, await new_account(db), app_id, lambda draft: draft)


async def test_a_secret_that_apps_use_is_not_deleted(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        secret = await create_secret(tx, VAULT, account, "main")
        await create_app(tx, account, replace(PLAIN, secret_id=secret.secret_id))
        with pytest.raises(SecretInUse):
            await delete_secret(tx, VAULT, account, secret.secret_id)


async def test_numbers_lead_to_apps_and_routing_knows(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        app = await create_app(tx, account, FULL)
        first, second = (
            await add_number(tx, account, "+15550001111", "One"),
            await add_number(tx, account, "+15550002222"),
        )
        assert await assign_numbers(tx, account, [first.number_id], app.app_id) == 1
        routing = await load_routing(tx)
        assert routing.holders == {"+15550001111": account, "+15550002222": account}
        assert routing.routes == {
            "+15550001111": Route(
                first.number, account, app.app_id, FULL.flow, FULL.fallback, "http://app/hook", FULL.status_callback,
                True, 7, None, None,
            )
        }  # fmt: skip
        assert (await get_app(tx, account, app.app_id)).number_count == 1
        assert (await get_number(tx, account, first.number_id)).app_name == "Full"
        assert await assign_all_numbers(tx, account, Filter(search="2222"), app.app_id) == 1
        assert await assign_all_numbers(tx, account, Filter(app_ids=(app.app_id,)), None) == 2
        assert (await load_routing(tx)).routes == {}
        assert (await rename_number(tx, account, second.number_id, "Two")).name == "Two"


async def test_inactive_apps_and_suspended_accounts_are_not_routed(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        app = await create_app(tx, account, PLAIN)
        number = await add_number(tx, account, "+15550001111")
        await assign_numbers(tx, account, [number.number_id], app.app_id)
        assert len((await load_routing(tx)).routes) == 1
        await update_app(tx, account, app.app_id, replace(PLAIN, status="inactive"))
        assert len((await load_routing(tx)).routes) == 0
        await update_app(tx, account, app.app_id, PLAIN)
        await change_account(tx, account, status="suspended", cps_limit=None, channel_cap=None)
        assert len((await load_routing(tx)).routes) == 0


async def test_numbers_of_a_deleted_app_lead_nowhere(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        app = await create_app(tx, account, PLAIN)
        number = await add_number(tx, account, "+15550001111")
        await assign_numbers(tx, account, [number.number_id], app.app_id)
        await delete_app(tx, account, app.app_id)
        assert (await get_number(tx, account, number.number_id)).app_id is None
        with pytest.raises(NotFound):
            await get_app(tx, account, app.app_id)


async def test_numbers_are_found_by_number_name_and_app(db: Database, account: AccountId) -> None:
    async with db.transaction() as tx:
        app = await create_app(tx, account, PLAIN)
        one = await add_number(tx, account, "+15550001111", "Sales 100%")
        two = await add_number(tx, account, "+445550002222", "Support")
        await assign_numbers(tx, account, [two.number_id], app.app_id)

        async def found(which: Filter) -> list[str]:
            return [number.number_id for number in (await list_numbers(tx, account, Window(), which)).data]

        assert await found(Filter(search="0%")) == [one.number_id]
        assert await found(Filter(search="SUPP")) == [two.number_id]
        assert await found(Filter(app_ids=(app.app_id,))) == [two.number_id]
        assert await found(Filter(app_ids=())) == []
        assert sorted(await found(Filter())) == sorted([one.number_id, two.number_id])


async def test_a_number_has_one_holder(db: Database, account: AccountId) -> None:
    other = await new_account(db, "Other")
    async with db.transaction() as tx:
        number = await add_number(tx, account, "+15550001111")
    with pytest.raises(Conflict):
        async with db.transaction() as tx:
            await add_number(tx, other, "+15550001111")
    async with db.transaction() as tx:
        await remove_number(tx, account, number.number_id)
        await add_number(tx, other, "+15550001111")


async def test_assigning_is_all_or_nothing(db: Database, account: AccountId) -> None:
    other = await new_account(db, "Other")
    async with db.transaction() as tx:
        app = await create_app(tx, account, PLAIN)
        ours = await add_number(tx, account, "+15550001111")
        theirs = await add_number(tx, other, "+15550002222")
    with pytest.raises(NotFound):
        async with db.transaction() as tx:
            await assign_numbers(tx, account, [ours.number_id, theirs.number_id], app.app_id)
    async with db.transaction() as tx:
        assert (await get_number(tx, account, ours.number_id)).app_id is None
