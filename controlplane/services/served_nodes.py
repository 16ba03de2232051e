"""Media nodes that call servers have, and the end of calls on one that none has any more.

A node that is taken out of CALLPLANE_NODES is nobody's: no call server asks it, no shard of it is driven. Its calls may
go on there until their longest duration is over, and nobody would ever tell. When no call server has had the node for
long, they are over as far as we can know, and ended when it was last served.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.ids import AccountId, CallId
from controlplane.services.write_off_call import write_off_call
from controlplane.store.database import Transaction
from controlplane.store.queries import query

_SERVE, _NOTICE, _GONE = query("serve_nodes"), query("notice_nodes"), query("calls_of_gone_nodes")


@dataclass(frozen=True, slots=True)
class _Gone:
    account_id: AccountId
    call_id: CallId
    served_ms: int


async def serve_nodes(tx: Transaction, nodes: Collection[str]) -> None:
    """Say that a call server has these nodes; to be said again well within the time after which one is gone."""
    await tx.run(_SERVE, nodes=sorted(nodes))


async def write_off_calls_of_gone_nodes(tx: Transaction, *, gone_after_s: float, most: int = 100) -> int:
    """End calls of nodes that no call server has had for `gone_after_s`; answers how many."""
    await tx.run(_NOTICE)
    gone = await tx.all(_Gone, _GONE, gone_after_s=gone_after_s, limit=most)
    for call in gone:
        await write_off_call(tx, call.account_id, call.call_id, Cause.NODE_GONE, at_ms=call.served_ms)
    return len(gone)
