"""Put calls into the queue, for a call server to dial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from controlplane.base.e164 import parse_e164
from controlplane.base.errors import BadInput, CallplaneError, Conflict, NotFound
from controlplane.base.ids import CALL, AccountId, CallId, leg_of_call, shard_of
from controlplane.calls.facts import Direction, Facts, Inline
from controlplane.services.apps import App, get_app
from controlplane.services.calls import Call
from controlplane.store.channels import QUEUE
from controlplane.store.database import Transaction
from controlplane.store.facts import write_facts
from controlplane.store.minting import new_id, new_token
from controlplane.store.queries import query
from controlplane.verbs.documents import Link, StatusCallback

_QUEUE, _CALLERS = query("queue_calls"), query("callers")


class NumberNotOwned(BadInput):
    """The caller's number is not one of this account's."""

    slug = "from-number-not-provisioned"
    http_status = 400


class AccountSuspended(Conflict):
    """The account is suspended."""

    slug = "account-suspended"


class AppInactive(Conflict):
    """The app is inactive: it takes no calls."""

    slug = "app-inactive"


class NothingToSay(BadInput):
    """A call needs an application or a document."""

    slug = "no-document"


@dataclass(frozen=True, slots=True)
class Placing:
    """What is asked for. `to_number` is E.164 or a SIP URI; what None leaves open is the app's to say.

    `sip_secret` names a stored secret. `public_url` is the base of links to recordings.
    """

    from_number: str
    to_number: str
    app_id: str | None = None
    document: Link | Inline | None = None
    fallback: Link | None = None
    status_callback: StatusCallback | None = None
    webhook_url: str | None = None
    caller_name: str = ""
    sip_headers: tuple[tuple[str, str], ...] = ()
    ring_timeout_s: int = 60
    time_limit_s: int = 14_400
    record: bool | None = None
    send_digits: str = ""
    sip_username: str = ""
    sip_secret: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    public_url: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that an account wants placed; `any_caller` lets it show a number that is not its own."""

    account_id: AccountId
    placing: Placing
    any_caller: bool = False


async def place_call(tx: Transaction, account_id: AccountId, placing: Placing, *, any_caller: bool = False) -> Call:
    """Queue a call; it is dialled within the account's limits, or given up after a day.

    Raises NumberNotOwned (unless `any_caller`), InvalidNumber, NothingToSay, AccountSuspended, NotFound or AppInactive
    for the app.
    """
    [placed] = await place_calls(tx, [Wanted(account_id, placing, any_caller)])
    if isinstance(placed, CallplaneError):
        raise placed
    return placed


async def place_calls(tx: Transaction, wanted: Sequence[Wanted]) -> list[Call | CallplaneError]:
    """Queue calls of any accounts; each is queued or refused for itself, with an error as `place_call` has them.

    One query writes, so that a transaction around this is needed only to do more in it.
    """
    known = await _look_up(tx, wanted)
    judged = [_judge(one, known) for one in wanted]
    queued = [facts for facts in judged if isinstance(facts, Facts)]
    created_at = await _queue(tx, queued) if queued else None
    return [_call(facts, created_at) if isinstance(facts, Facts) else facts for facts in judged]


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is of accounts that want calls: statuses, those of the numbers that are their own, apps."""

    statuses: Mapping[str, str]
    numbers: Set[tuple[str, str]]
    apps: Mapping[tuple[str, str], App | NotFound]


@dataclass(frozen=True, slots=True)
class _Caller:
    account_id: AccountId
    number: str
    status: str
    is_own: bool


async def _look_up(tx: Transaction, wanted: Sequence[Wanted]) -> _Known:
    shown = sorted({(one.account_id, one.placing.from_number) for one in wanted})
    named = {(one.account_id, one.placing.app_id) for one in wanted if one.placing.app_id is not None}
    asked = {"account_ids": [account for account, _ in shown], "numbers": [number for _, number in shown]}
    callers = await tx.all(_Caller, _CALLERS, **asked)
    return _Known(
        statuses={one.account_id: one.status for one in callers},
        numbers={(one.account_id, one.number) for one in callers if one.is_own},
        apps={(account, app): await _app(tx, account, app) for account, app in sorted(named)},
    )


async def _app(tx: Transaction, account_id: AccountId, app_id: str) -> App | NotFound:
    try:
        return await get_app(tx, account_id, app_id)
    except NotFound as error:
        return error


def _judge(wanted: Wanted, known: _Known) -> Facts | CallplaneError:
    """The facts of a call that may be placed, or why it may not."""
    account, placing = wanted.account_id, wanted.placing
    app = None if placing.app_id is None else known.apps[account, placing.app_id]
    try:
        if account not in known.statuses:
            raise NotFound
        if known.statuses[account] != "active":
            raise AccountSuspended
        if not wanted.any_caller and (account, parse_e164(placing.from_number)) not in known.numbers:
            raise NumberNotOwned
        if not placing.to_number.startswith(("sip:", "sips:")):
            parse_e164(placing.to_number)
        if isinstance(app, NotFound):
            raise app
        if app is not None and app.draft.status != "active":
            raise AppInactive
        return _facts(account, CallId(new_id(CALL)), placing, app)
    except CallplaneError as error:
        return error


async def _queue(tx: Transaction, queued: Sequence[Facts]) -> datetime:
    created_at: datetime = await tx.one(
        _created,
        _QUEUE,
        call_ids=[facts.call for facts in queued],
        account_ids=[facts.account for facts in queued],
        app_ids=[facts.app for facts in queued],
        from_numbers=[facts.from_number for facts in queued],
        to_numbers=[facts.to_number for facts in queued],
        facts=f"[{','.join(write_facts(facts) for facts in queued)}]",  # a list would be quoted, quote by quote
        channel=QUEUE,
        payloads=sorted({str(shard_of(facts.a_leg)) for facts in queued}),
    )
    return created_at


def _call(facts: Facts, created_at: datetime | None) -> Call:
    assert created_at is not None
    return Call(
        call_id=facts.call,
        account_id=facts.account,
        app_id=facts.app,
        direction=facts.direction.value,
        from_number=facts.from_number,
        to_number=facts.to_number,
        status="queued",
        result=None,
        reason=None,
        cause=None,
        sip_status=None,
        sip_call_id=None,
        created_at=created_at,
        claimed_at=None,
        ringing_at=None,
        answered_at=None,
        ended_at=None,
    )


def _created(*, created_at: datetime, told: int) -> datetime:  # noqa: ARG001 - asked for so that it is done
    return created_at


def _facts(account: AccountId, call: CallId, placing: Placing, app: App | None) -> Facts:
    draft = None if app is None else app.draft
    document = placing.document or (draft.flow if draft else None)
    if document is None:
        raise NothingToSay
    return Facts(
        call=call,
        account=account,
        a_leg=leg_of_call(call),
        node="",
        direction=Direction.OUTBOUND_API,
        from_number=placing.from_number,
        to_number=placing.to_number,
        app=placing.app_id,
        document=document,
        fallback=placing.fallback or (draft.fallback if draft else None),
        status_callback=placing.status_callback or (draft.status_callback if draft else None),
        webhook_url=placing.webhook_url or (draft.webhook_url if draft else None),
        caller_name=placing.caller_name,
        sip_headers=placing.sip_headers,
        ring_timeout_s=placing.ring_timeout_s,
        time_limit_s=placing.time_limit_s,
        record=placing.record if placing.record is not None else bool(draft and draft.record),
        send_digits=placing.send_digits,
        sip_username=placing.sip_username,
        sip_secret=placing.sip_secret,
        parameters=placing.parameters,
        salt=new_token(),
        public_url=placing.public_url,
    )
