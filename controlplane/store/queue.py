"""Calls placed through the API wait in `calls` until a call server takes them up.

A call's shard is fixed when its id is minted (the last digit of its A-leg's channel UUID, which has the same bits); the
media node is chosen when it is claimed, among those on which the claiming server holds that shard.

Limits are never counted up and down: each claim counts the live calls and the claims of the last second, under a lock
that lets one claim count at a time. The whole claim goes out in one write, so that a process that stops in the middle
of it holds up nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection

from controlplane.base.ids import AccountId, CallId
from controlplane.calls.facts import Facts
from controlplane.store.database import Database
from controlplane.store.edge import rows_as
from controlplane.store.facts import read_facts
from controlplane.store.queries import query

log = logging.getLogger(__name__)

_LOCK, _CLAIM, _COUNT = query("lock_queue"), query("claim_calls"), query("count_queued")
_LOCK_KEY = 0x7175657565  # "queue"
QUEUE_BOUND_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """What an account has where its own row says nothing, and what the gateway takes from all of them together."""

    cps_limit: int
    channel_cap: int
    gateway: str
    gateway_cps_limit: int
    gateway_channel_cap: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A call that is ours to dial."""

    call_id: CallId
    account_id: AccountId
    shard: int
    facts: Facts


async def claim_calls(
    db: Database, places: Iterable[tuple[str, int]], limits: Limits, *, server_id: str, most: int = 50
) -> list[Claimed]:
    """Take up to `most` queued calls, oldest first, accounts in turn, for the (node, shard) `places` that we hold.

    `server_id` is put on record with them. A call that is claimed and whose server dies is found by `load_live_calls`,
    with or without a journal.
    """
    owned = sorted(places)
    if not owned:
        return []
    values = {
        "nodes": [node for node, _ in owned],
        "shards": [shard for _, shard in owned],
        "queue_bound_s": QUEUE_BOUND_S,
        "most": most,
        "server_id": server_id,
        "gateway": limits.gateway,
        "cps_limit": limits.cps_limit,
        "channel_cap": limits.channel_cap,
        "gateway_cps_limit": limits.gateway_cps_limit,
        "gateway_channel_cap": limits.gateway_channel_cap,
    }
    async with db.connection() as connection:
        claimed = await _claim(connection, values)
    return sorted((call for call in claimed if call is not None), key=lambda call: call.call_id)


async def count_queued(db: Database, shards: Iterable[int]) -> int:
    """How many calls wait for these shards: whether it is worth trying again."""
    async with db.transaction() as tx:
        return await tx.one(_as_count, _COUNT, shards=sorted(set(shards)))


async def _claim(connection: AsyncConnection[Any], values: dict[str, object]) -> list[Claimed | None]:
    async with connection.pipeline(), connection.transaction():
        await connection.execute(_LOCK.text, {"key": _LOCK_KEY})
        cursor = connection.cursor(row_factory=rows_as(_claimed))
        await cursor.execute(_CLAIM.text, values)
    return await cursor.fetchall()


def _claimed(call_id: CallId, account_id: AccountId, node: str, shard: int, facts: str) -> Claimed | None:
    """None for one that another version queued in words that this one does not know: that must not keep us from all
    others. Who drives its shard finds it on record, and writes it off if nobody can read it."""
    try:
        return Claimed(call_id, account_id, shard, read_facts(facts, node))
    except ValueError:
        log.error("queued_call_unreadable", extra={"call": call_id})
        return None


def _as_count(calls: int) -> int:
    return calls
