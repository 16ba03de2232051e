"""Where every number leads: call servers keep this in memory, so that a call coming in asks no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controlplane.base.e164 import E164
from controlplane.base.ids import AccountId
from controlplane.services.apps import link_of, status_callback_of
from controlplane.store.database import Transaction
from controlplane.store.queries import query
from controlplane.verbs.documents import Link, Method, StatusCallback

_ROUTING, _HOLDERS, _TOKENS = query("routing"), query("holders"), query("auth_tokens")


@dataclass(frozen=True, slots=True)
class Route:
    """What is known of calls to a number before they come: the account's and the app's say."""

    number: E164
    account_id: AccountId
    app_id: str
    flow: Link
    fallback: Link | None
    webhook_url: str | None
    status_callback: StatusCallback | None
    record: bool
    channel_limit: int | None
    channel_cap: int | None
    cps_limit: int | None


@dataclass(frozen=True, slots=True)
class Routing:
    """All numbers of active accounts: `routes` of those that lead to an active app, `holders` of every one.

    `auth_tokens` are what signs each account's requests, sealed for it; `unreadable_apps` those that are set in words
    that this version does not know: their numbers lead nowhere here, and every other number where it should.
    """

    routes: Mapping[E164, Route]
    holders: Mapping[E164, AccountId]
    auth_tokens: Mapping[AccountId, bytes]
    unreadable_apps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Unreadable:
    app_id: str


async def load_routing(tx: Transaction) -> Routing:
    """Read where numbers lead, and whose they are.

    Read it again when `store.channels.ROUTING` tells, and after every gap of the listener.
    """
    read = await tx.all(_route_or_not, _ROUTING)
    return Routing(
        {route.number: route for route in read if isinstance(route, Route)},
        dict(await tx.all(_holder, _HOLDERS)),
        dict(await tx.all(_token, _TOKENS)),
        frozenset(one.app_id for one in read if isinstance(one, _Unreadable)),
    )


def _route_or_not(*, app_id: str, **columns: Any) -> Route | _Unreadable:
    try:
        return _route(app_id=app_id, **columns)
    except ValueError:
        return _Unreadable(app_id)


def _route(
    *, number: E164, account_id: AccountId, app_id: str, flow_url: str, flow_method: Method, fallback_url: str | None,
    fallback_method: Method, webhook_url: str | None, status_callback_url: str | None, status_callback_method: Method,
    status_callback_events: list[str], record: bool, channel_limit: int | None, channel_cap: int | None,
    cps_limit: int | None,
) -> Route:  # fmt: skip
    return Route(
        number,
        account_id,
        app_id,
        Link(flow_url, flow_method),
        link_of(fallback_url, fallback_method),
        webhook_url,
        status_callback_of(status_callback_url, status_callback_method, status_callback_events),
        record,
        channel_limit,
        channel_cap,
        cps_limit,
    )


def _holder(number: E164, account_id: AccountId) -> tuple[E164, AccountId]:
    return number, account_id


def _token(account_id: AccountId, auth_token: bytes) -> tuple[AccountId, bytes]:
    return account_id, auth_token
