"""Apps: a tenant's document URL and its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from controlplane.base.errors import NotFound
from controlplane.base.ids import APP, AccountId
from controlplane.store.database import Transaction
from controlplane.store.minting import new_id
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query
from controlplane.verbs.documents import Link, Method, StatusCallback, StatusEvent

_INSERT, _UPDATE, _FIND, _LIST = query("insert_app"), query("update_app"), query("find_app"), query("list_apps")
_DELETE, _RELEASE, _FIND_SECRET = query("delete_app"), query("release_numbers_of_app"), query("find_secret")
_LOCK = query("lock_app")


@dataclass(frozen=True, slots=True)
class AppDraft:
    """What a tenant sets. `status` is active or inactive; an inactive app takes no calls."""

    name: str
    flow: Link
    fallback: Link | None = None
    webhook_url: str | None = None
    webhook_api_version: str = "2026-06-01"
    status_callback: StatusCallback | None = None
    secret_id: str | None = None
    channel_limit: int | None = None
    record: bool = False
    status: str = "active"


@dataclass(frozen=True, slots=True)
class App:
    """An app as it is: what was set, and what came of it."""

    app_id: str
    account_id: AccountId
    draft: AppDraft
    secret_name: str | None
    number_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AppFilter:
    """Which apps of an account: of some statuses ((): any), with a text in the name ("": any)."""

    statuses: tuple[str, ...] = ()
    search: str = ""


async def create_app(tx: Transaction, account_id: str, draft: AppDraft) -> App:
    """Add an app; raises NotFound for a secret that is not the account's."""
    app_id = new_id(APP)
    await _check_secret(tx, account_id, draft)
    await tx.run(_INSERT, app_id=app_id, account_id=account_id, **_columns(draft))
    return await get_app(tx, account_id, app_id)


async def update_app(tx: Transaction, account_id: str, app_id: str, draft: AppDraft) -> App:
    """Set everything of an app anew; raises NotFound."""
    await get_app(tx, account_id, app_id)
    await _check_secret(tx, account_id, draft)
    await tx.run(_UPDATE, app_id=app_id, account_id=account_id, **_columns(draft))
    return await get_app(tx, account_id, app_id)


async def change_app(tx: Transaction, account_id: str, app_id: str, change: Callable[[AppDraft], AppDraft]) -> App:
    """Set some of an app anew, what `change` makes of it; nobody else changes it meanwhile. Raises NotFound."""
    await tx.one(dict, _LOCK, account_id=account_id, app_id=app_id)
    app = await get_app(tx, account_id, app_id)
    return await update_app(tx, account_id, app_id, change(app.draft))


async def get_app(tx: Transaction, account_id: str, app_id: str) -> App:
    """One app; raises NotFound."""
    return await tx.one(_app, _FIND, account_id=account_id, app_id=app_id)


async def list_apps(tx: Transaction, account_id: str, window: Window, which: AppFilter = AppFilter()) -> Page[App]:
    """An account's apps, newest first."""
    return await read_page(
        tx, _app, _LIST, "app_id", window, account_id=account_id, statuses=list(which.statuses), search=which.search
    )


async def delete_app(tx: Transaction, account_id: str, app_id: str) -> None:
    """Take an app away; its numbers lead nowhere then. Raises NotFound."""
    await get_app(tx, account_id, app_id)
    await tx.run(_RELEASE, account_id=account_id, app_id=app_id)
    await tx.run(_DELETE, account_id=account_id, app_id=app_id)


async def _check_secret(tx: Transaction, account_id: str, draft: AppDraft) -> None:
    if draft.secret_id is None:
        return
    try:
        await tx.one(dict, _FIND_SECRET, account_id=account_id, secret_id=draft.secret_id)
    except NotFound as error:
        raise NotFound("There is no such secret in this account.", secret_id=draft.secret_id) from error


def _columns(draft: AppDraft) -> dict[str, Any]:
    fallback, status_callback = draft.fallback, draft.status_callback
    kept = asdict(draft)
    for name in ("flow", "fallback", "status_callback"):
        del kept[name]
    return {
        **kept,
        "flow_url": draft.flow.url,
        "flow_method": draft.flow.method,
        "fallback_url": None if fallback is None else fallback.url,
        "fallback_method": "POST" if fallback is None else fallback.method,
        "status_callback_url": None if status_callback is None else status_callback.link.url,
        "status_callback_method": "POST" if status_callback is None else status_callback.link.method,
        "status_callback_events": [] if status_callback is None else sorted(status_callback.events),
    }


def link_of(url: str | None, method: Method) -> Link | None:
    """A link as two columns keep it."""
    return None if url is None else Link(url, method)


def status_callback_of(url: str | None, method: Method, events: list[str]) -> StatusCallback | None:
    """A status callback as three columns keep it."""
    return None if url is None else StatusCallback(Link(url, method), frozenset(map(StatusEvent, events)))


def _app(
    *, app_id: str, account_id: AccountId, secret_name: str | None, number_count: int, created_at: datetime,
    updated_at: datetime, flow_url: str, flow_method: Method, fallback_url: str | None, fallback_method: Method,
    status_callback_url: str | None, status_callback_method: Method, status_callback_events: list[str], **kept: Any,
) -> App:  # fmt: skip
    draft = AppDraft(
        flow=Link(flow_url, flow_method),
        fallback=link_of(fallback_url, fallback_method),
        status_callback=status_callback_of(status_callback_url, status_callback_method, status_callback_events),
        **kept,
    )
    return App(app_id, account_id, draft, secret_name, number_count, created_at, updated_at)
