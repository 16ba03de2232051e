"""Put a call into the queue, for a call server to dial."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.base.e164 import parse_e164
from controlplane.base.errors import BadInput, Conflict
from controlplane.base.ids import CALL, AccountId, CallId, leg_of_call, shard_of
from controlplane.calls.facts import Direction, Facts, Inline
from controlplane.services.accounts import get_account
from controlplane.services.apps import App, get_app
from controlplane.services.calls import Call, get_call
from controlplane.store.channels import QUEUE
from controlplane.store.database import Transaction
from controlplane.store.facts import write_facts
from controlplane.store.minting import new_id, new_token
from controlplane.store.queries import query
from controlplane.verbs.documents import Link, StatusCallback

_QUEUE, _OWN, _TELL = query("queue_call"), query("own_number"), query("tell")


class NumberNotOwned(BadInput):
    """The caller's number is not one of this account's."""

    slug = "from-number-not-provisioned"
    http_status = 400


class AccountSuspended(Conflict):
    """The account is suspended."""

    slug = "account-suspended"


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


async def place_call(tx: Transaction, account_id: str, placing: Placing, *, any_caller: bool = False) -> Call:
    """Queue a call; it is dialled within the account's limits, or given up after a day.

    Raises NumberNotOwned (unless `any_caller`), InvalidNumber, NothingToSay, AccountSuspended, NotFound for the app.
    """
    account = await get_account(tx, account_id)
    if account.status != "active":
        raise AccountSuspended
    if not any_caller:
        await _check_owned(tx, account_id, placing.from_number)
    if not placing.to_number.startswith(("sip:", "sips:")):
        parse_e164(placing.to_number)
    app = None if placing.app_id is None else await get_app(tx, account_id, placing.app_id)
    facts = _facts(account.account_id, CallId(new_id(CALL)), placing, app)
    await tx.run(
        _QUEUE,
        call_id=facts.call,
        account_id=account_id,
        app_id=facts.app,
        from_number=facts.from_number,
        to_number=facts.to_number,
        facts=write_facts(facts),
    )
    await tx.run(_TELL, channel=QUEUE, payload=str(shard_of(facts.a_leg)))
    return await get_call(tx, account_id, facts.call)


async def _check_owned(tx: Transaction, account_id: str, number: str) -> None:
    if await tx.maybe(dict, _OWN, account_id=account_id, number=parse_e164(number)) is None:
        raise NumberNotOwned(None)


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
