"""Calls as their account sees them: one, many, their legs, what happened in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from controlplane.base.ids import AccountId, CallId, LegId, leg_of_call
from controlplane.services.load_live_calls import JournalLine
from controlplane.store.database import Transaction
from controlplane.store.pages import Page, Window, read_page
from controlplane.store.queries import query

_FIND, _LIST, _LEGS = query("find_call"), query("list_calls"), query("list_b_legs")
_JOURNAL, _NOTES = query("list_journal"), query("list_notes")


@dataclass(frozen=True, slots=True)
class Call:
    """A call's summary. `direction`, `status` and `result` are words of the API; `cause` FreeSWITCH's."""

    call_id: CallId
    account_id: AccountId
    app_id: str | None
    direction: str
    from_number: str
    to_number: str
    status: str
    result: str | None
    reason: str | None
    cause: str | None
    sip_status: int | None
    sip_call_id: str | None
    created_at: datetime
    claimed_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg; `role` is primary (the A-leg) or dial_target."""

    leg: LegId
    role: str
    from_number: str
    to_number: str
    cause: str | None
    sip_status: int | None
    sip_call_id: str | None
    created_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None


@dataclass(frozen=True, slots=True)
class Note:
    """A warning or error of the tenant's own, with the reference's number; `seq` is the entry it came of."""

    seq: int
    at: datetime
    level: str
    code: int
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls; None and () mean any. Times are those of creation, `created_before` exclusive."""

    statuses: tuple[str, ...] = ()
    direction: str | None = None
    from_number: str | None = None
    to_number: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened in a call: its journal, and what the tenant should read about it."""

    lines: tuple[JournalLine, ...]
    notes: tuple[Note, ...]


async def get_call(tx: Transaction, account_id: str, call_id: str) -> Call:
    """One call; raises NotFound."""
    return await tx.one(Call, _FIND, account_id=account_id, call_id=call_id)


async def list_calls(tx: Transaction, account_id: str, window: Window, which: CallFilter = CallFilter()) -> Page[Call]:
    """An account's calls, newest first."""
    return await read_page(
        tx,
        Call,
        _LIST,
        "call_id",
        window,
        account_id=account_id,
        statuses=list(which.statuses),
        direction=which.direction,
        from_number=which.from_number,
        to_number=which.to_number,
        created_after=which.created_after,
        created_before=which.created_before,
    )


async def list_legs(tx: Transaction, account_id: str, call_id: str) -> list[Leg]:
    """A call's legs, the A-leg first; raises NotFound."""
    call = await get_call(tx, account_id, call_id)
    return [a_leg_of(call), *await tx.all(Leg, _LEGS, account_id=account_id, call_id=call_id)]


async def read_timeline(tx: Transaction, account_id: str, call_id: str) -> Timeline:
    """What happened in a call, oldest first; raises NotFound."""
    await get_call(tx, account_id, call_id)
    lines = await tx.all(JournalLine, _JOURNAL, account_id=account_id, call_id=call_id)
    notes = await tx.all(Note, _NOTES, account_id=account_id, call_id=call_id)
    return Timeline(tuple(lines), tuple(notes))


def a_leg_of(call: Call) -> Leg:
    """The first leg of a call, which has no row of its own."""
    return Leg(
        leg_of_call(call.call_id),
        "primary",
        call.from_number,
        call.to_number,
        call.cause,
        call.sip_status,
        call.sip_call_id,
        call.created_at,
        call.ringing_at,
        call.answered_at,
        call.ended_at,
    )
