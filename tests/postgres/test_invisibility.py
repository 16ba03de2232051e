"""Another tenant's things look like things that are not there, through every service there is."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

import pytest

import controlplane.services
from controlplane.base.causes import Cause
from controlplane.base.errors import Conflict, NotFound
from controlplane.base.ids import AccountId, CallId, Token, leg_of_call
from controlplane.calls.commands import KeepRecording
from controlplane.calls.events import HangUpAsked
from controlplane.services.accounts import change_account, get_account, read_auth_token
from controlplane.services.api_keys import issue_api_key, list_api_keys, revoke_api_key
from controlplane.services.apps import AppDraft, change_app, create_app, delete_app, get_app, list_apps, update_app
from controlplane.services.ask_control import ask_control, get_request
from controlplane.services.calls import CallFilter, get_call, list_calls, list_legs, read_timeline
from controlplane.services.cancel_queued_call import cancel_queued_call
from controlplane.services.events import (
    EventFilter,
    get_event,
    list_attempts,
    list_events,
    redeliver_event,
)
from controlplane.services.finish_recording import Absent, finish_recording
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
from controlplane.services.place_call import NumberNotOwned, Placing, place_call
from controlplane.services.recordings import delete_recording, get_recording, list_recordings
from controlplane.services.webhook_secrets import (
    create_secret,
    delete_secret,
    get_secret,
    list_secrets,
    rename_secret,
    rotate_secret,
)
from controlplane.services.write_off_call import write_off_call
from controlplane.store.database import Database, Transaction
from controlplane.store.journal import Recorder
from controlplane.store.pages import Page, Window
from controlplane.store.records import EventPublished, RecordingKept
from controlplane.verbs.documents import Link
from tests.postgres.sample import VAULT, call_in_shard, new_account, offered, rows

DRAFT = AppDraft("App", Link("http://app/flow"))
WINDOW = Window()
RECORDING = "rec_01HF7YAT00000000000000000A"


@dataclass(frozen=True, slots=True)
class Things:
    """One of everything, of one account."""

    account: AccountId
    key: str
    secret: str
    app: str
    number: str
    queued: CallId
    live: CallId
    event: str
    request: str


@pytest.fixture
async def theirs(db: Database, url: str) -> AsyncIterator[Things]:
    account = await new_account(db, "Theirs")
    live = call_in_shard(1)
    recorder = Recorder(url)
    await recorder.start()
    kept = KeepRecording(Token("t"), RECORDING, leg_of_call(live), "RecordVerb", 1, 1, True, None)
    event = EventPublished(Token("e"), "call.initiated", "{}", None, "http://app/hook")
    await recorder.submit([offered(live, event, RecordingKept("fs1", None, kept), account=account)])
    async with db.transaction() as tx:
        number = await add_number(tx, account, "+15550001111")
        app = await create_app(tx, account, DRAFT)
        await assign_numbers(tx, account, [number.number_id], app.app_id)
        things = Things(
            account,
            (await issue_api_key(tx, account, "second")).key_id,
            (await create_secret(tx, VAULT, account, "main")).secret_id,
            app.app_id,
            number.number_id,
            (await place_call(tx, account, Placing("+15550001111", "+15550002222", document=DRAFT.flow))).call_id,
            live,
            (await list_events(tx, account, WINDOW)).data[0].event_id,
            await ask_control(tx, account, live, HangUpAsked("")),
        )
    yield things
    await recorder.stop()


Use = Callable[[Transaction, str, Things], Awaitable[object]]

HIDDEN: dict[str, Use] = {
    "revoke_api_key": lambda tx, us, theirs: revoke_api_key(tx, us, theirs.key),
    "get_secret": lambda tx, us, theirs: get_secret(tx, VAULT, us, theirs.secret),
    "rotate_secret": lambda tx, us, theirs: rotate_secret(tx, VAULT, us, theirs.secret),
    "rename_secret": lambda tx, us, theirs: rename_secret(tx, VAULT, us, theirs.secret, "ours"),
    "delete_secret": lambda tx, us, theirs: delete_secret(tx, VAULT, us, theirs.secret),
    "create_app": lambda tx, us, theirs: create_app(tx, us, AppDraft("A", DRAFT.flow, secret_id=theirs.secret)),
    "get_app": lambda tx, us, theirs: get_app(tx, us, theirs.app),
    "update_app": lambda tx, us, theirs: update_app(tx, us, theirs.app, DRAFT),
    "change_app": lambda tx, us, theirs: change_app(tx, us, theirs.app, lambda draft: draft),
    "delete_app": lambda tx, us, theirs: delete_app(tx, us, theirs.app),
    "get_number": lambda tx, us, theirs: get_number(tx, us, theirs.number),
    "rename_number": lambda tx, us, theirs: rename_number(tx, us, theirs.number, "ours"),
    "remove_number": lambda tx, us, theirs: remove_number(tx, us, theirs.number),
    "assign_numbers": lambda tx, us, theirs: assign_numbers(tx, us, [theirs.number], None),
    "assign_all_numbers": lambda tx, us, theirs: assign_all_numbers(tx, us, Filter(), theirs.app),
    "place_call": lambda tx, us, theirs: place_call(
        tx, AccountId(us), Placing("+15550001111", "+15550002222", theirs.app), any_caller=True
    ),
    "get_call": lambda tx, us, theirs: get_call(tx, us, theirs.live),
    "list_legs": lambda tx, us, theirs: list_legs(tx, us, theirs.live),
    "read_timeline": lambda tx, us, theirs: read_timeline(tx, us, theirs.live),
    "cancel_queued_call": lambda tx, us, theirs: cancel_queued_call(tx, us, theirs.queued),
    "ask_control": lambda tx, us, theirs: ask_control(tx, us, theirs.live, HangUpAsked("")),
    "get_request": lambda tx, us, theirs: get_request(tx, us, theirs.request),
    "get_event": lambda tx, us, theirs: get_event(tx, us, theirs.event),
    "list_attempts": lambda tx, us, theirs: list_attempts(tx, us, theirs.event),
    "redeliver_event": lambda tx, us, theirs: redeliver_event(tx, us, theirs.event),
    "get_recording": lambda tx, us, _: get_recording(tx, us, RECORDING),
    "delete_recording": lambda tx, us, _: delete_recording(tx, us, RECORDING),
}

EMPTY: dict[str, Use] = {
    "list_secrets": lambda tx, us, _: list_secrets(tx, VAULT, us, WINDOW),
    "list_apps": lambda tx, us, _: list_apps(tx, us, WINDOW),
    "list_numbers": lambda tx, us, theirs: list_numbers(tx, us, WINDOW, Filter(app_ids=(theirs.app,))),
    "list_calls": lambda tx, us, _: list_calls(tx, us, WINDOW, CallFilter(from_number="+15550001111")),
    "list_events": lambda tx, us, theirs: list_events(tx, us, WINDOW, EventFilter(call_id=theirs.live)),
    "list_recordings": lambda tx, us, theirs: list_recordings(tx, us, WINDOW, theirs.live),
}

OWN_ACCOUNT_ONLY = {  # they name nothing but the account that asks, or are tested by name below
    "issue_api_key", "list_api_keys", "create_secret", "add_number", "get_account", "change_account",
    "read_auth_token", "run_once", "finish_recording", "write_off_call",
}  # fmt: skip


@pytest.mark.parametrize("name", HIDDEN)
async def test_what_is_another_accounts_is_not_found(db: Database, theirs: Things, name: str) -> None:
    us = await new_account(db, "Us")
    with pytest.raises(NotFound):
        async with db.transaction() as tx:
            await HIDDEN[name](tx, us, theirs)


@pytest.mark.parametrize("name", HIDDEN)
async def test_what_is_ones_own_is_found(db: Database, theirs: Things, name: str) -> None:
    """Else the test above would say nothing."""
    async with db.transaction() as tx:
        with suppress(Conflict):
            await HIDDEN[name](tx, theirs.account, theirs)


@pytest.mark.parametrize("name", EMPTY)
async def test_lists_show_ones_own(db: Database, theirs: Things, name: str) -> None:
    async with db.transaction() as tx:
        page = await EMPTY[name](tx, theirs.account, theirs)
    assert isinstance(page, Page)
    assert len(page.data) >= 1


@pytest.mark.parametrize("name", EMPTY)
async def test_lists_show_nothing_nothing_of_another_account(db: Database, theirs: Things, name: str) -> None:
    us = await new_account(db, "Us")
    async with db.transaction() as tx:
        assert await EMPTY[name](tx, us, theirs) == Page((), None, None, has_more=False)


@pytest.mark.parametrize("name", sorted(HIDDEN.keys() - {"get_recording", "delete_recording"}))
async def test_an_id_that_is_none_is_not_found_either(db: Database, theirs: Things, name: str) -> None:
    us = await new_account(db, "Us")
    garbage = Things(theirs.account, "'; --", "", "va_", "vn_1", CallId("x"), CallId("cs_"), "evt_\0", "req_é")
    with pytest.raises(NotFound):
        async with db.transaction() as tx:
            await HIDDEN[name](tx, us, garbage)


async def test_a_call_of_another_account_is_not_written_off(db: Database, theirs: Things) -> None:
    us = await new_account(db, "Us")
    async with db.transaction() as tx:
        before = await get_call(tx, theirs.account, theirs.live)
        assert await write_off_call(tx, us, theirs.live, Cause.NODE_GONE) == []
        assert await get_call(tx, theirs.account, theirs.live) == before


async def test_keys_of_another_account_are_not_listed(db: Database, theirs: Things) -> None:
    us = await new_account(db, "Us")
    async with db.transaction() as tx:
        assert theirs.key not in [key.key_id for key in (await list_api_keys(tx, us, WINDOW)).data]


async def test_assigning_all_numbers_touches_only_ones_own(db: Database, theirs: Things) -> None:
    us = await new_account(db, "Us")
    async with db.transaction() as tx:
        assert await assign_all_numbers(tx, us, Filter(), None) == 0


async def test_another_accounts_number_cannot_be_called_from(db: Database, theirs: Things) -> None:
    us = await new_account(db, "Us")
    with pytest.raises(NumberNotOwned):
        async with db.transaction() as tx:
            await place_call(tx, us, Placing("+15550001111", "+15550002222", document=DRAFT.flow))


async def test_a_recording_is_finished_only_for_its_account(db: Database, theirs: Things, url: str) -> None:
    us = await new_account(db, "Us")
    async with db.transaction() as tx:
        assert not await finish_recording(tx, us, RECORDING, Absent(), public_url="")
    assert rows(url, "SELECT state FROM recordings") == [{"state": "processing"}]


@pytest.mark.parametrize("account_id", ["acc_01HF7YAT00000000000000000A", "acc_", "", "x"])
async def test_an_account_that_is_none_is_not_found(db: Database, account_id: str) -> None:
    async with db.transaction() as tx:
        for use in (
            get_account(tx, account_id),
            read_auth_token(tx, VAULT, account_id),
            change_account(tx, account_id, status="active", cps_limit=None, channel_cap=None),
            add_number(tx, account_id, "+15550001111"),
        ):
            with pytest.raises(NotFound):
                await use


def test_every_service_for_tenants_is_tried_here() -> None:
    services = set()
    for found in pkgutil.iter_modules(controlplane.services.__path__):
        module = import_module(f"controlplane.services.{found.name}")
        for name, function in inspect.getmembers(module, inspect.iscoroutinefunction):
            own = function.__module__ == module.__name__ and not name.startswith("_")
            if own and "account_id" in inspect.signature(function).parameters:
                services.add(name)
    assert services == {*HIDDEN, *EMPTY, *OWN_ACCOUNT_ONLY}
