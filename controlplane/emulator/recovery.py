"""What a node keeps of answered legs, and how another brings them up (switch_core_sqldb.c, recover_callback).

    node.left = {}                        # this node keeps a row a leg, written when it is answered, joined, parted
    node.die(); other.left |= node.left   # whoever hands over decides what of it
    sofia profile internal recover        # at the other

A leg comes up under its UUID, with the variables of its row, joined with the partner of that time or at the door again;
nothing that ran or was queued comes along. The far end is the same party, who heard nothing meanwhile. (A node that was
only thought dead has lost that party: here it has no channel for it any more.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from controlplane.emulator.fibers import Fiber
from controlplane.emulator.joining import join
from controlplane.emulator.life import live_again

if TYPE_CHECKING:
    from controlplane.emulator.channel import Channel
    from controlplane.emulator.node import Node


@dataclass(frozen=True, slots=True)
class LeftLeg:
    """A row: a leg as a run of a node (`core`) knew it last. `partner` is the UUID it was joined with, "" for none."""

    core: str
    channel: Channel
    variables: dict[str, str] = field(default_factory=dict)
    partner: str = ""
    is_originator: bool = False


def track(channel: Channel) -> None:
    """Write a leg's row, where its node keeps such: it was answered, joined or parted."""
    left = channel.node.left
    if left is None or not channel.is_answered or channel.is_down:
        return
    partner = channel.partner.uuid if channel.partner is not None else ""
    variables = dict(channel.variables.items())
    left[channel.uuid] = LeftLeg(channel.node.core_uuid, channel, variables, partner, channel.is_originator)


def recover(node: Node) -> int:
    """Bring up every leg that another run left in this node's table; answers how many."""
    if node.left is None:
        return 0
    rows = {uuid: row for uuid, row in node.left.items() if row.core != node.core_uuid}
    for uuid in rows:
        del node.left[uuid]
    for row in rows.values():
        _bring_up(node, row, is_joined=row.partner in rows)
    for row in rows.values():
        if row.is_originator and row.partner in rows:
            join(row.channel, rows[row.partner].channel)
    return len(rows)


def _bring_up(node: Node, row: LeftLeg, *, is_joined: bool) -> None:
    channel = row.channel
    if channel.fiber is not None:
        channel.fiber.stop()
        channel.node.channels.pop(channel.uuid, None)
    channel.begin_anew(node, row.variables | {"recovered": "true"})
    if not is_joined:
        channel.extension.extend(node.door.actions() if channel.is_inbound else [("park", "")])
        channel.next_state = "CS_EXECUTE"
    node.channels[channel.uuid] = channel
    node.sessions += 1
    track(channel)
    channel.fiber = Fiber(node.clock, lambda: live_again(channel))
    channel.wake_now()
