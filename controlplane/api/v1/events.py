"""Events: the account's log of what happened, and how telling its webhooks went."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, TypeAlias

from fastapi import Query, Request, Response
from pydantic import Field

from controlplane.api.openapi import problems, v1_router
from controlplane.api.requests import change, read
from controlplane.api.v1.fields import Id, Text, Time, iso, maybe_iso
from controlplane.api.v1.paging import Paged, PageOf, page_of
from controlplane.base.ids import AccountId, public_leg_id
from controlplane.services.deliver import Told
from controlplane.services.event_payloads import VERSION, current_payload
from controlplane.services.events import (
    Event,
    EventFilter,
    PastAttempt,
    get_event,
    list_attempts,
    list_events,
    redeliver_event,
)
from controlplane.store.database import Transaction
from controlplane.store.pages import Window

router = v1_router("events")

DeliveryStatus: TypeAlias = Literal["pending", "delivered", "failed_permanent"]
_STATUS_OF: dict[str, DeliveryStatus] = {"pending": "pending", "delivered": "delivered", "dead": "failed_permanent"}


class EventQuery(Paged):
    """Which events."""

    call_id: Annotated[Id | None, Field(description="Events of this call.")] = None
    type: Annotated[Text | None, Field(examples=["call.completed"])] = None
    occurred_after: Time | None = None
    delivery_status: DeliveryStatus | None = None


@dataclass(frozen=True, slots=True)
class EventShape:
    """An event. `payload` is what webhooks of the newest version are told."""

    id: Annotated[str, Field(examples=["evt_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    account_id: str
    call_id: str
    sip_trunk_id: None
    leg_id: str | None
    type: Annotated[str, Field(examples=["call.answered"])]
    api_version: str
    occurred_at: str
    payload: dict[str, Any]
    delivery_status: Annotated[DeliveryStatus | None, Field(description="null: it was told to nobody.")]
    attempt_count: int
    last_attempt_at: str | None
    last_status_code: int | None
    last_error: str | None
    delivered_at: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class AttemptShape:
    """One attempt to tell an event."""

    at: str
    duration_ms: int
    status_code: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Redelivered:
    """The event will be told anew."""

    event_id: str
    redelivered_at: str


@router.get("/events", name="list_events", response_model=PageOf[EventShape], responses=problems(404))
async def show_events(request: Request, asked: Annotated[EventQuery, Query()]) -> Response:
    """Events, newest first."""
    states = tuple(state for state, status in _STATUS_OF.items() if status == asked.delivery_status)
    which = EventFilter(asked.call_id, asked.type, asked.occurred_after, states)
    return await read(request, partial(_list, asked.window(), which), PageOf[EventShape])


@router.get("/events/{event_id}", name="get_event", response_model=EventShape, responses=problems(404))
async def show_event(request: Request, event_id: str) -> Response:
    """One event."""
    return await read(request, partial(_get, event_id), EventShape)


@router.get(
    "/events/{event_id}/attempts", name="list_attempts", response_model=PageOf[AttemptShape], responses=problems(404)
)
async def show_attempts(request: Request, event_id: str) -> Response:
    """Every attempt to tell an event, oldest first, all on one page."""
    return await read(request, partial(_attempts, event_id), PageOf[AttemptShape])


@router.post(
    "/events/{event_id}/redeliver",
    name="redeliver_event",
    response_model=Redelivered,
    status_code=202,
    responses=problems(404, 409),
)
async def tell_again(request: Request, event_id: str) -> Response:
    """Tell an event anew that was delivered, or given up."""
    return await change(request, partial(_redeliver, event_id), Redelivered, status=202)


def event_shape(event: Event) -> EventShape:
    """An event as it is shown."""
    told = Told(
        event.event_id, event.kind, event.data, event.sequence, event.occurred_at, event.app_id, event.leg, VERSION
    )
    occurred_at = iso(event.occurred_at)
    return EventShape(
        id=event.event_id,
        account_id=event.account_id,
        call_id=event.call_id,
        sip_trunk_id=None,
        leg_id=None if event.leg is None else public_leg_id(event.leg),
        type=event.kind,
        api_version=VERSION,
        occurred_at=occurred_at,
        payload=current_payload(told, event.account_id, event.call_id),
        delivery_status=None if event.delivery_state is None else _STATUS_OF[event.delivery_state],
        attempt_count=event.attempts,
        last_attempt_at=maybe_iso(event.last_attempt_at),
        last_status_code=event.last_status,
        last_error=event.last_error,
        delivered_at=maybe_iso(event.delivered_at),
        created_at=occurred_at,
    )


def _attempt_shape(attempt: PastAttempt) -> AttemptShape:
    return AttemptShape(iso(attempt.at), attempt.duration_ms, attempt.status, attempt.error)


async def _list(window: Window, which: EventFilter, tx: Transaction, account_id: AccountId) -> PageOf[EventShape]:
    return page_of(await list_events(tx, account_id, window, which), event_shape)


async def _get(event_id: str, tx: Transaction, account_id: AccountId) -> EventShape:
    return event_shape(await get_event(tx, account_id, event_id))


async def _attempts(event_id: str, tx: Transaction, account_id: AccountId) -> PageOf[AttemptShape]:
    return PageOf([_attempt_shape(one) for one in await list_attempts(tx, account_id, event_id)])


async def _redeliver(event_id: str, tx: Transaction, account_id: AccountId) -> Redelivered:
    return Redelivered(event_id, iso(await redeliver_event(tx, account_id, event_id)))
