"""Deliveries: take what is due, and say how it went.

In order for each call and lane: the next is given out only when the one before is delivered or dead. At least once: a
worker that dies between sending and saying so leaves a lease that ends, and it is sent again under the same name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controlplane.base.ids import AccountId, CallId, LegId
from controlplane.services.schedule import Attempt, next_of
from controlplane.store.database import Transaction
from controlplane.store.queries import query
from controlplane.store.vault import SecretUnreadable, Vault
from controlplane.verbs.documents import Method

_TAKE, _READ, _SETTLE = query("take_deliveries"), query("read_deliveries"), query("settle_delivery")
_HOLD, _RELEASE, _AGE = query("hold_followers"), query("release_followers"), query("outbox_age")


@dataclass(frozen=True, slots=True)
class Told:
    """The event that a delivery tells; `data` is JSON text, `api_version` the app's (None without an app)."""

    event_id: str
    kind: str
    data: str
    sequence: int
    occurred_at: datetime
    app_id: str | None
    leg: LegId | None
    api_version: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery to attempt now: `event` as JSON, or `parameters` as a form.

    `auth_token` signs callbacks; `secret` signs events (the app's webhook secret, or else the auth token).
    """

    call_id: CallId
    lane: int
    number: int
    account_id: AccountId
    attempt: int
    failures: int
    leased_until: datetime
    method: Method
    url: str
    parameters: tuple[tuple[str, str], ...]
    event: Told | None
    auth_token: str = field(repr=False)
    secret: str = field(repr=False)

    @property
    def token(self) -> str:
        """The same for every attempt: tells the receiver that it has seen this."""
        return f"{self.call_id}.{'ec'[self.lane]}{self.number}"


@dataclass(frozen=True, slots=True)
class Outbox:
    """What waits: the age in seconds of the oldest that is due, and how many are not through."""

    oldest_s: float
    deliveries: int


async def take_due_deliveries(
    tx: Transaction,
    vault: Vault,
    *,
    most: int = 50,
    most_per_account: int = 20,
    most_per_receiver: int = 15,
    lease_s: int = 60,
    considered: int = 1000,
) -> list[Delivery]:
    """Take up to `most` deliveries; each must be recorded within `lease_s`, or another worker gets it.

    An account has `most_per_account` under way at most, over all workers, and `most_per_receiver` at one host and port.
    Of what is due the oldest are `considered`, but for accounts and receivers that have no place left: theirs may be
    any number.
    """
    taken = await tx.all(
        _Taken,
        _TAKE,
        considered=considered,
        most=most,
        most_per_account=most_per_account,
        most_per_receiver=most_per_receiver,
        lease_s=lease_s,
    )
    if not taken:
        return []
    rows = await tx.all(
        _Row,
        _READ,
        call_ids=[one.call_id for one in taken],
        lanes=[one.lane for one in taken],
        numbers=[one.number for one in taken],
    )
    deliveries = []
    for row in rows:
        try:
            deliveries.append(_delivery(vault, row))
        except SecretUnreadable:  # of one account: the others are not to wait for it
            await record_attempt(tx, row, Attempt(None, "the secret that signs this cannot be read", 0))
    return deliveries


async def record_attempt(tx: Transaction, delivery: Delivery | _Row, attempt: Attempt) -> str | None:
    """Say how an attempt went; answers the delivery's state now (delivered, dead, pending).

    None: the lease had ended and somebody else has it, so this attempt counts for nothing.
    """
    key = {"call_id": delivery.call_id, "lane": delivery.lane, "number": delivery.number}
    come = next_of(attempt, delivery.failures)
    settled = await tx.maybe(
        _Settled,
        _SETTLE,
        **key,
        leased_until=delivery.leased_until,
        state=come.state,
        delay_s=come.delay_s,
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        error=attempt.error,
    )
    if settled is None:
        return None
    if come.state == "pending":
        await tx.run(_HOLD, **key, due_at=settled.due_at)
    elif delivery.failures:
        await tx.run(_RELEASE, **key)
    return settled.state


async def measure_outbox(tx: Transaction) -> Outbox:
    """How far deliveries are behind: for the metrics."""
    return await tx.one(Outbox, _AGE)


@dataclass(frozen=True, slots=True)
class _Taken:
    call_id: CallId
    lane: int
    number: int


@dataclass(frozen=True, slots=True)
class _Settled:
    state: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class _Row:
    call_id: CallId
    lane: int
    number: int
    account_id: AccountId
    attempt: int
    failures: int
    leased_until: datetime
    method: Method
    url: str
    parameters: Sequence[tuple[str, str]] | None
    sealed_token: bytes
    event_id: str | None
    kind: str
    data: str
    sequence: int
    occurred_at: datetime
    leg: LegId | None
    app_id: str | None
    webhook_api_version: str | None
    secret_id: str | None
    sealed_secret: bytes


def _delivery(vault: Vault, row: _Row) -> Delivery:
    auth_token = vault.open(row.sealed_token, bound=row.account_id)
    secret = auth_token if row.secret_id is None else vault.open(row.sealed_secret, bound=row.secret_id)
    return Delivery(
        row.call_id,
        row.lane,
        row.number,
        row.account_id,
        row.attempt,
        row.failures,
        row.leased_until,
        row.method,
        row.url,
        tuple((name, value) for name, value in row.parameters or ()),
        _told(row),
        auth_token,
        secret,
    )


def _told(row: _Row) -> Told | None:
    if row.event_id is None:
        return None
    return Told(
        row.event_id, row.kind, row.data, row.sequence, row.occurred_at, row.app_id, row.leg, row.webhook_api_version
    )
