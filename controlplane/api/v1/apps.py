"""Apps: what answers calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from pydantic import Field, model_validator

from controlplane.api.openapi import problems, v1_router
from controlplane.api.requests import change, read
from controlplane.api.v1.fields import Body, Id, Name, Text, Url, iso
from controlplane.api.v1.numbers import NumberShape, number_shape
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.api.v1.results import Done
from controlplane.base.ids import AccountId
from controlplane.services.apps import (
    App,
    AppDraft,
    AppFilter,
    change_app,
    create_app,
    delete_app,
    get_app,
    link_of,
    list_apps,
)
from controlplane.services.numbers import Filter, assign_numbers, list_numbers
from controlplane.store.database import Transaction
from controlplane.store.pages import Window
from controlplane.verbs.documents import Link, Method, StatusCallback, StatusEvent

router = v1_router("apps")

Version = Literal["2025-08-01", "2026-06-01"]
Activity = Literal["active", "inactive"]
Progress = Literal["initiated", "ringing", "answered", "completed"]


class AppFields(Body):
    """What can be set of an app."""

    flow_method: Annotated[Method, Field(description="How `flow_url` is asked.")] = "POST"
    fallback_url: Annotated[Url | None, Field(description="Asked where `flow_url` gives no document.")] = None
    fallback_method: Method = "POST"
    webhook_url: Annotated[Url | None, Field(description="Told the events of this app's calls, as JSON.")] = None
    webhook_api_version: Version = "2026-06-01"
    secret_id: Annotated[Id | None, Field(description="What signs them.")] = None
    status_callback_url: Annotated[Url | None, Field(description="Told the progress of calls, as a form.")] = None
    status_callback_method: Method = "POST"
    status_callback_events: Annotated[list[Progress], Field(default_factory=lambda: ["completed"], max_length=4)]
    channel_limit: Annotated[
        int | None,
        Field(ge=1, le=1_000_000, description="Simultaneous calls; more that come in are refused as busy."),
    ] = None
    record: Annotated[bool, Field(description="Record every call.")] = False
    status: Annotated[Activity, Field(description="An inactive app answers no calls.")] = "active"


class NewApp(AppFields):
    """An app to be made."""

    name: Name
    flow_url: Annotated[Url, Field(description="Asked what to do with a call.")]
    vn_ids: Annotated[
        list[Id], Field(default_factory=list, max_length=1000, description="Numbers that are to lead to it.")
    ]


class ChangedApp(AppFields):
    """What is to change of an app; fields that are left out stay, null clears what may be empty."""

    name: Name = ""
    flow_url: Url = ""

    @model_validator(mode="after")
    def _something(self) -> ChangedApp:
        if not self.model_fields_set:
            raise ValueError("nothing is to change")
        return self


class AppQuery(Paged):
    """Which apps."""

    search: Annotated[Text, Field(description="A text in the name.")] = ""
    status: list[Activity] | None = None


class NumbersOfAppQuery(Paged):
    """Which numbers of an app."""

    search: Annotated[Text, Field(description="A text in number or name.")] = ""
    location: Annotated[list[Text] | None, Field(description="Numbers have no locations here: none match.")] = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


@dataclass(frozen=True, slots=True)
class AppShape:
    """An app."""

    id: Annotated[str, Field(examples=["va_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    account_id: str
    name: str
    status: Activity
    flow_url: str
    flow_method: Method
    fallback_url: str | None
    fallback_method: Method
    webhook_url: str | None
    webhook_api_version: str
    secret_id: str | None
    secret_name: str | None
    status_callback_url: str | None
    status_callback_method: Method
    status_callback_events: list[str]
    channel_limit: int | None
    record: bool
    vn_count: Annotated[int, Field(description="How many numbers lead to it.")]
    code: None
    created_at: str
    updated_at: str


@router.post("/voice/apps", name="create_app", response_model=AppShape, status_code=201, responses=problems(404))
async def make_app(request: Request, body: NewApp) -> Response:
    """Make an app."""
    return await change(request, partial(_create, body), AppShape, status=201)


@router.get("/voice/apps", name="list_apps", response_model=PageOf[AppShape])
async def show_apps(request: Request, asked: Annotated[AppQuery, Query()]) -> Response:
    """Apps, newest first."""
    which = AppFilter(tuple(asked.status or ()), asked.search)
    return await read(request, partial(_list, asked.window(), which), PageOf[AppShape])


@router.get("/voice/apps/{app_id}", name="get_app", response_model=AppShape, responses=problems(404))
async def show_app(request: Request, app_id: str) -> Response:
    """One app."""
    return await read(request, partial(_get, app_id), AppShape)


@router.patch("/voice/apps/{app_id}", name="update_app", response_model=AppShape, responses=problems(404))
async def update_app(request: Request, app_id: str, body: ChangedApp) -> Response:
    """Change some of an app."""
    return await change(request, partial(_update, app_id, body), AppShape)


@router.delete("/voice/apps/{app_id}", name="delete_app", response_model=Done, responses=problems(404))
async def remove_app(request: Request, app_id: str) -> Response:
    """Take an app away; its numbers lead nowhere then."""
    return await change(request, partial(_delete, app_id), Done)


@router.get(
    "/voice/apps/{app_id}/virtual-numbers",
    name="list_numbers_of_app",
    response_model=PageOf[NumberShape],
    responses=problems(404),
)
async def show_numbers_of_app(request: Request, app_id: str, asked: Annotated[NumbersOfAppQuery, Query()]) -> Response:
    """Numbers that lead to an app."""
    which = None if asked.location else Filter((app_id,), asked.search)
    return await read(request, partial(_numbers, app_id, asked.window(), which), PageOf[NumberShape])


async def _create(body: NewApp, tx: Transaction, account_id: AccountId) -> AppShape:
    draft = AppDraft(
        name=body.name,
        flow=Link(body.flow_url, body.flow_method),
        fallback=link_of(body.fallback_url, body.fallback_method),
        webhook_url=body.webhook_url,
        webhook_api_version=body.webhook_api_version,
        status_callback=_callback(body.status_callback_url, body.status_callback_method, body.status_callback_events),
        secret_id=body.secret_id,
        channel_limit=body.channel_limit,
        record=body.record,
        status=body.status,
    )
    app = await create_app(tx, account_id, draft)
    if body.vn_ids:
        await assign_numbers(tx, account_id, body.vn_ids, app.app_id)
        app = await get_app(tx, account_id, app.app_id)
    return app_shape(app)


async def _list(window: Window, which: AppFilter, tx: Transaction, account_id: AccountId) -> PageOf[AppShape]:
    return page_of(await list_apps(tx, account_id, window, which), app_shape)


async def _get(app_id: str, tx: Transaction, account_id: AccountId) -> AppShape:
    return app_shape(await get_app(tx, account_id, app_id))


async def _update(app_id: str, body: ChangedApp, tx: Transaction, account_id: AccountId) -> AppShape:
    return app_shape(await change_app(tx, account_id, app_id, partial(_changed, body)))


async def _delete(app_id: str, tx: Transaction, account_id: AccountId) -> Done:
    await delete_app(tx, account_id, app_id)
    return Done("The app is gone.")


async def _numbers(
    app_id: str, window: Window, which: Filter | None, tx: Transaction, account_id: AccountId
) -> PageOf[NumberShape]:
    await get_app(tx, account_id, app_id)
    if which is None:
        return PageOf([])
    return page_of(await list_numbers(tx, account_id, window, which), number_shape)


_PLAIN = ("name", "webhook_url", "webhook_api_version", "secret_id", "channel_limit", "record", "status")


def _changed(body: ChangedApp, draft: AppDraft) -> AppDraft:
    """The draft with what the body sets. A URL and its method are one thing, so either keeps the other."""
    given = body.model_fields_set
    plain: dict[str, Any] = {name: getattr(body, name) for name in _PLAIN if name in given}
    flow, fallback, callback = draft.flow, draft.fallback, draft.status_callback
    return replace(
        draft,
        **plain,
        flow=_merged(body, "flow", flow) or flow,
        fallback=_merged(body, "fallback", fallback),
        status_callback=_merged_callback(body, callback),
    )


def _merged(body: ChangedApp, name: str, link: Link | None) -> Link | None:
    given = body.model_fields_set
    url = getattr(body, f"{name}_url") if f"{name}_url" in given else (link.url if link else None)
    method: Method = getattr(body, f"{name}_method") if f"{name}_method" in given else (link.method if link else "POST")
    return link_of(url, method)


def _merged_callback(body: ChangedApp, callback: StatusCallback | None) -> StatusCallback | None:
    link = _merged(body, "status_callback", callback.link if callback else None)
    if link is None:
        return None
    if callback is None or "status_callback_events" in body.model_fields_set:
        return _callback(link.url, link.method, body.status_callback_events)
    return StatusCallback(link, callback.events)


def _callback(url: str | None, method: Method, events: list[Progress]) -> StatusCallback | None:
    return None if url is None else StatusCallback(Link(url, method), frozenset(map(StatusEvent, events)))


def app_shape(app: App) -> AppShape:
    """An app as it is shown."""
    draft, callback = app.draft, app.draft.status_callback
    return AppShape(
        id=app.app_id,
        account_id=app.account_id,
        name=draft.name,
        status=draft.status,  # type: ignore[arg-type]  # the column holds no other words
        flow_url=draft.flow.url,
        flow_method=draft.flow.method,
        fallback_url=draft.fallback.url if draft.fallback else None,
        fallback_method=draft.fallback.method if draft.fallback else "POST",
        webhook_url=draft.webhook_url,
        webhook_api_version=draft.webhook_api_version,
        secret_id=draft.secret_id,
        secret_name=app.secret_name,
        status_callback_url=callback.link.url if callback else None,
        status_callback_method=callback.link.method if callback else "POST",
        status_callback_events=sorted(callback.events) if callback else [],
        channel_limit=draft.channel_limit,
        record=draft.record,
        vn_count=app.number_count,
        code=None,
        created_at=iso(app.created_at),
        updated_at=iso(app.updated_at),
    )
