"""The account's log of events, and how telling them goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from controlplane.base.errors import Conflict
from controlplane.base.ids import AccountId, CallId, LegId
from controlplane.store.channels import OUTBOX
from controlplane.store.database import Transaction, unknown_is_not_found
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query

_FIND, _LIST, _REDELIVER = query("find_event"), query("list_events"), query("redeliver_event")
_ATTEMPTS, _TELL = query("list_attempts"), query("tell")


class EventNotThrough(Conflict):
    """The event is still being delivered, or is delivered to nobody."""

    slug = "event-not-redeliverable"


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `data` is JSON text; `delivery_state` is pending, delivered, dead, or None: told to nobody."""

    event_id: str
    account_id: AccountId
    call_id: CallId
    app_id: str | None
    leg: LegId | None
    kind: str
    data: str
    sequence: int
    occurred_at: datetime
    delivery_state: str | None
    attempts: int
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str | None
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class PastAttempt:
    """One attempt to deliver an event."""

    at: datetime
    duration_ms: int
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; None and () mean any."""

    call_id: str | None = None
    kind: str | None = None
    occurred_after: datetime | None = None
    delivery_states: tuple[str, ...] = ()


async def get_event(tx: Transaction, account_id: str, event_id: str) -> Event:
    """One event; raises NotFound."""
    return await tx.one(Event, _FIND, account_id=account_id, event_id=event_id)


async def list_events(
    tx: Transaction, account_id: str, window: Window, which: EventFilter = EventFilter()
) -> Page[Event]:
    """An account's events, newest first."""
    with unknown_is_not_found():
        return await read_page(
            tx,
            Event,
            _LIST,
            "event_id",
            window,
            account_id=account_id,
            call_id=which.call_id,
            kind=which.kind,
            occurred_after=which.occurred_after,
            delivery_states=list(which.delivery_states),
        )


async def list_attempts(tx: Transaction, account_id: str, event_id: str) -> list[PastAttempt]:
    """Every attempt to deliver an event, oldest first; raises NotFound."""
    await get_event(tx, account_id, event_id)
    return await tx.all(PastAttempt, _ATTEMPTS, account_id=account_id, event_id=event_id)


async def redeliver_event(tx: Transaction, account_id: str, event_id: str) -> datetime:
    """Deliver an event anew, from the first attempt; answers when it was asked. Raises NotFound, EventNotThrough."""
    await get_event(tx, account_id, event_id)
    at = await tx.maybe(_at, _REDELIVER, account_id=account_id, event_id=event_id)
    if at is None:
        raise EventNotThrough
    await tx.run(_TELL, channel=OUTBOX, payload="")
    return at


def _at(at: datetime) -> datetime:
    return at
