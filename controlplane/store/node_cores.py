"""Runs of FreeSWITCH on media nodes: which are over, who settles them, and who goes on with their calls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from controlplane.store.channels import CORES
from controlplane.store.database import Transaction
from controlplane.store.queries import query

_SEE, _LOSE_EARLIER, _LOSE = query("see_core"), query("lose_earlier_cores"), query("lose_core")
_KNOWN, _LEAD, _ADOPT = query("known_cores"), query("lead_core"), query("adopt_core")
_SETTLE, _MOVE, _QUEUE_AGAIN = query("settle_core"), query("move_calls"), query("queue_again")
_A_LEGS = query("a_legs_of_node")
_NOTIFY = query("tell")
_DEAD_AFTER_S = 5.0  # as for shards (shards.py)


@dataclass(frozen=True, slots=True)
class NodeCore:
    """One run. `lost_s` is how long ago it was declared lost; `legs` are those given to the adopting node."""

    node: str
    core: str
    lost_s: float | None
    is_settled: bool
    adopting_node: str | None
    adopting_core: str | None
    legs: list[object]


async def see_core(tx: Transaction, node: str, core: str) -> bool:
    """A node answers with this core; False if that was declared lost. Every core before it is lost from here on."""
    is_lost = await tx.one(_as_flag, _SEE, node=node, core=core)
    if not is_lost:
        await tx.run(_LOSE_EARLIER, node=node, core=core)
    return not is_lost


async def lose_core(tx: Transaction, node: str, core: str, *, unseen_s: float) -> bool:
    """Declare a core lost, unless it was seen less than `unseen_s` ago."""
    is_lost = await tx.run(_LOSE, node=node, core=core, unseen_s=unseen_s) > 0
    if is_lost:
        await _tell(tx)
    return is_lost


async def known_cores(tx: Transaction) -> list[NodeCore]:
    """The last core of each node, and all that were lost and are not settled."""
    return await tx.all(NodeCore, _KNOWN)


async def lead_core(tx: Transaction, node: str, core: str, server_id: str) -> NodeCore | None:
    """Settle a lost core, unless another call server that lives does."""
    return await tx.maybe(NodeCore, _LEAD, node=node, core=core, server_id=server_id, dead_after_s=_DEAD_AFTER_S)


async def a_legs_of(tx: Transaction, node: str) -> list[object]:
    """The A-legs of all live calls of a node, as UUIDs."""
    return await tx.all(_as_leg, _A_LEGS, node=node)


async def adopt_core(
    tx: Transaction, lost: tuple[str, str], server_id: str, adopting: tuple[str, str], legs: Iterable[str]
) -> bool:
    """Say which (node, core) goes on with a lost one, and with which of its legs; False if somebody else leads.

    It has the calls of those that are A-legs from here on.
    """
    values = {"adopting_node": adopting[0], "adopting_core": adopting[1], "legs": sorted(legs)}
    added = await tx.all(_as_legs, _ADOPT, node=lost[0], core=lost[1], server_id=server_id, **values)
    if added and added[0]:
        await tx.run(_MOVE, node=lost[0], adopting_node=adopting[0], legs=added[0])
    await _tell(tx)
    return bool(added)


async def settle_core(tx: Transaction, node: str, core: str, server_id: str, legs: Iterable[str]) -> bool:
    """Be done with a core of which these legs came up; False if somebody else leads."""
    adopting = await tx.all(_as_name, _SETTLE, node=node, core=core, server_id=server_id)
    if not adopting:
        return False
    if adopting[0] not in (None, node):  # a call that was not on record yet when its leg was given away
        await tx.run(_MOVE, node=node, adopting_node=adopting[0], legs=sorted(legs))
    await tx.run(_QUEUE_AGAIN, node=node)
    await _tell(tx)
    return True


async def _tell(tx: Transaction) -> None:
    """Every moment counts for whoever hears nothing: call servers need not find out by looking."""
    await tx.run(_NOTIFY, channel=CORES, payload="")


def _as_flag(is_lost: bool) -> bool:  # noqa: FBT001 - called with a row
    return is_lost


def _as_name(adopting_node: str | None) -> str | None:
    return adopting_node


def _as_leg(call_id: object) -> object:
    return call_id


def _as_legs(added: list[object]) -> list[object]:
    return added
