"""Ask something of a live call: a row for the call server that drives it, and a nudge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from controlplane.base.errors import Conflict
from controlplane.base.ids import REQUEST, CallId, LegId
from controlplane.calls.events import DigitsAsked, Event, HangUpAsked, MuteAsked, PlayAsked, Redirected
from controlplane.calls.journal import decode_event, encode_event
from controlplane.services.calls import list_legs
from controlplane.store.channels import CONTROL
from controlplane.store.database import Transaction
from controlplane.store.minting import new_id
from controlplane.store.queries import query

_PLACE, _INSERT, _FIND = query("find_control_place"), query("insert_control_request"), query("find_control_request")
_ASKED, _TELL = query("asked_requests"), query("tell")

Drives: TypeAlias = Callable[[CallId], bool]
Wish: TypeAlias = Redirected | HangUpAsked | MuteAsked | DigitsAsked | PlayAsked


class CallNotLive(Conflict):
    """The call is over."""

    slug = "call-not-live"


class CallNotControllable(Conflict):
    """The call waits to be dialled: it can only be hung up."""

    slug = "call-not-controllable"


class LegNotFound(Conflict):
    """The call has no such leg that is live."""

    slug = "leg-not-found"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for its call server; `event` is what to give the machine."""

    request_id: str
    call_id: CallId
    event: Event


@dataclass(frozen=True, slots=True)
class Request:
    """What became of a request: `state` is asked, done or failed; `problem` says why."""

    request_id: str
    call_id: CallId
    kind: str
    state: str
    problem: str | None
    created_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Row:
    request_id: str
    call_id: CallId
    kind: str
    data: str


@dataclass(frozen=True, slots=True)
class _Place:
    node: str | None
    ended_at: datetime | None


async def ask_control(tx: Transaction, account_id: str, call_id: str, wish: Wish) -> str:
    """Write a wish down (its `request` is set here) and answer the request's id.

    Raises NotFound, CallNotLive, LegNotFound, CallNotControllable (a queued call: `cancel_queued_call` ends it).
    """
    place = await tx.one(_Place, _PLACE, account_id=account_id, call_id=call_id)
    if place.ended_at is not None:
        raise CallNotLive
    if place.node is None:
        raise CallNotControllable
    leg = None if isinstance(wish, Redirected) else wish.leg
    if leg is not None:
        await _check_leg(tx, account_id, call_id, leg)
    request_id = new_id(REQUEST)
    kind, data = encode_event(replace(wish, request=request_id))
    await tx.run(_INSERT, request_id=request_id, account_id=account_id, call_id=call_id, kind=kind, data=data)
    await tx.run(_TELL, channel=CONTROL, payload=call_id)
    return request_id


async def get_request(tx: Transaction, account_id: str, request_id: str) -> Request:
    """What became of a request; raises NotFound."""
    return await tx.one(Request, _FIND, account_id=account_id, request_id=request_id)


async def load_asked(tx: Transaction, nodes: Sequence[str], drives: Drives) -> dict[CallId, list[Asked]]:
    """What is asked of live calls of these nodes that we drive and not answered, oldest first.

    Far fewer are asked anything than are driven: those that we drive are not named to the database. What another
    version asks in words that this one does not know waits for a server that does.
    """
    asked: defaultdict[CallId, list[Asked]] = defaultdict(list)
    for row in await tx.all(_Row, _ASKED, nodes=list(nodes)):
        if not drives(row.call_id):
            continue
        with suppress(ValueError):
            asked[row.call_id].append(Asked(row.request_id, row.call_id, decode_event(row.kind, row.data)))
    return dict(asked)


async def _check_leg(tx: Transaction, account_id: str, call_id: str, leg: LegId) -> None:
    legs = await list_legs(tx, account_id, call_id)
    if not any(known.leg == leg and known.is_live for known in legs):
        raise LegNotFound
