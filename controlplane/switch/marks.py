"""Who drives a shard, as it stands on the media node itself: there a server sees it that the database cannot tell.

Whoever takes shards marks them there with its term, a number that grows with every taking (store/shards.py). A server
whose term is less than a shard's mark was followed by another.
"""

from __future__ import annotations

from collections.abc import Callable

from controlplane.esl import apis
from controlplane.esl.variables import mark
from controlplane.switch.node import Node

_TERM = "term"


def mark_shards(node: Node, shards: frozenset[int], term: int) -> None:
    """Mark shards as taken in this term, before anything else is told of their calls. Raises LinkLost.

    Their journals are to be read by then: as long as they cannot be, whoever has the calls is better off with them.
    """
    if shards:
        for name in (*map(_shard, sorted(shards)), _TERM):
            node.send(apis.global_setvar(mark(name, str(term))))


async def followed(node: Node, shards: frozenset[int], term: Callable[[], int]) -> frozenset[int]:
    """Those of these shards that were taken in a later term. Raises LinkLost.

    The last term of all is asked for first: while it is ours nothing else has to be. `term` is ours as it is when the
    answers are there: we may have taken everything anew while they were under way.
    """
    if await _term_in(node, _TERM) == term():
        return frozenset()
    found = {shard: await _term_in(node, _shard(shard)) for shard in sorted(shards)}
    return frozenset(shard for shard, other in found.items() if other > term())


def _shard(shard: int) -> str:
    return f"shard_{shard}"


async def _term_in(node: Node, name: str) -> int:
    value = (await node.ask(apis.global_getvar(mark(name, "").name))).text.strip()
    return int(value) if value.isdecimal() else 0
