"""Media nodes that call servers have, and the end of calls on one that none has any more.

A node that is taken out of CALLPLANE_NODES is nobody's: no call server asks it, no shard of it is driven. Its calls may
go on there until their longest duration is over, and nobody would ever tell. When no call server has had the node for
long, they are over as far as we can know, and ended when it was last served.

How long that is the database's clock says, and whoever ends them by a clock of its own, too: the former may be set
forward by an hour, and then no node seems to have been served lately. Where call servers live, they say it again within
seconds, and that is seen.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.ids import AccountId, CallId
from controlplane.services.write_off_call import write_off_call
from controlplane.store.database import Transaction
from controlplane.store.queries import query

_SERVE, _NOTICE = query("serve_nodes"), query("notice_nodes")
_GONE, _CALLS = query("gone_nodes"), query("live_calls_of_node")

WATCHED_S = 60.0  # three times as long as a call server that lives takes to say what it serves (wiring/serving.py)
LOOKS = 3


@dataclass(frozen=True, slots=True)
class GoneNode:
    """A media node that nobody seems to have, and when it was last served by the database's clock."""

    node: str
    served_ms: int


@dataclass(slots=True)
class Watch:
    """What one process saw of nodes that seem to be gone, by its own monotonic clock."""

    watched_s: float = WATCHED_S
    looks: int = LOOKS
    _seen: dict[GoneNode, tuple[float, int]] = field(default_factory=dict)  # since when, and how often

    def look(self, seeming: Sequence[GoneNode], now_s: float) -> list[GoneNode]:
        """Those that have been unserved all the while that we looked, which was long enough."""
        seen = {}
        for node in seeming:
            since_s, looks = self._seen.get(node, (now_s, 0))
            seen[node] = (since_s, looks + 1)
        self._seen = seen
        return [
            node for node, (since_s, looks) in seen.items() if now_s - since_s >= self.watched_s and looks >= self.looks
        ]


@dataclass(frozen=True, slots=True)
class _Call:
    account_id: AccountId
    call_id: CallId


async def serve_nodes(tx: Transaction, nodes: Collection[str]) -> None:
    """Say that a call server has these nodes; to be said again well within the time after which one is gone."""
    await tx.run(_SERVE, nodes=sorted(nodes))


async def write_off_calls_of_gone_nodes(
    tx: Transaction, watch: Watch, *, gone_after_s: float, now_s: float, most: int = 100
) -> int:
    """End calls of nodes that no call server has had for `gone_after_s`; answers how many.

    To be called again and again with one `watch`; `now_s` is of the monotonic clock.
    """
    await tx.run(_NOTICE)
    ended = 0
    for gone in watch.look(await tx.all(GoneNode, _GONE, gone_after_s=gone_after_s), now_s):
        calls = await tx.all(_Call, _CALLS, node=gone.node, served_ms=gone.served_ms, limit=most - ended)
        for call in calls:
            await write_off_call(tx, call.account_id, call.call_id, Cause.NODE_GONE, at_ms=gone.served_ms)
        ended += len(calls)
    return ended
