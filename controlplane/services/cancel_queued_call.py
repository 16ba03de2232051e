"""End calls that nobody has claimed: on request, or because they waited too long.

The call goes through the machine like any other, so that its journal, its verdict, its events and its callbacks are
what they would be had it been dialled. Nothing of what the machine wants done is done, but what is written down.
"""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.errors import Conflict
from controlplane.base.ids import REQUEST, AccountId, CallId
from controlplane.calls.events import CallPlaced, Entry, Event, HangUpAsked, LegEnded, OriginateFailed
from controlplane.calls.machine import CallMachine
from controlplane.services.calls import get_call
from controlplane.services.write_off_call import write_off_call
from controlplane.store.database import Transaction
from controlplane.store.derive import record_of
from controlplane.store.facts import read_facts
from controlplane.store.minting import new_id, now_ms
from controlplane.store.queries import query
from controlplane.store.queue import QUEUE_BOUND_S
from controlplane.store.writing import write_within

_LOCK, _LOCK_EXPIRED = query("lock_queued_call"), query("lock_expired_calls")
_EXPIRED = "QUEUE_EXPIRED"


class CallNotQueued(Conflict):
    """The call does not wait to be dialled."""

    slug = "call-not-queued"


@dataclass(frozen=True, slots=True)
class _Queued:
    call_id: CallId
    account_id: AccountId
    facts: str


async def cancel_queued_call(tx: Transaction, account_id: str, call_id: str, reason: str = "") -> str:
    """End a call before it is dialled; answers the id of the request. Raises NotFound, CallNotQueued."""
    await get_call(tx, account_id, call_id)
    queued = await tx.maybe(_Queued, _LOCK, account_id=account_id, call_id=call_id)
    if queued is None:
        raise CallNotQueued
    request = new_id(REQUEST)
    a_leg = read_facts(queued.facts, "").a_leg
    await _end(tx, queued, HangUpAsked(request, reason=reason), LegEnded(a_leg, Cause.MANAGER_REQUEST))
    return request


async def expire_queued_calls(tx: Transaction, *, most: int = 100) -> int:
    """End calls that waited for a day, also such as this version cannot read; answers how many."""
    expired = await tx.all(_Queued, _LOCK_EXPIRED, queue_bound_s=QUEUE_BOUND_S, limit=most)
    for queued in expired:
        try:
            a_leg = read_facts(queued.facts, "").a_leg
        except ValueError:
            await write_off_call(tx, queued.account_id, queued.call_id, Cause.JOURNAL_UNREADABLE)
        else:
            await _end(tx, queued, OriginateFailed(a_leg, _EXPIRED))
    return len(expired)


async def _end(tx: Transaction, queued: _Queued, *events: Event) -> None:
    facts = read_facts(queued.facts, "")
    machine = CallMachine()
    at_ms = now_ms()
    entries = [Entry(seq, at_ms, event) for seq, event in enumerate((CallPlaced(facts), *events))]
    await write_within(tx, [record_of(facts, entry, machine.handle(entry)) for entry in entries])
