"""set, multiset, export, unset, sched_hangup (mod_dptools.c)."""

from __future__ import annotations

from controlplane.emulator.causes import read_cause
from controlplane.emulator.channel import Channel


async def set_one(channel: Channel, data: str) -> None:
    """`name=value`; no value removes the variable."""
    name, _, value = data.partition("=")
    channel.variables.set(name, None if value == "_undef_" else value)
    channel.changed()


async def set_many(channel: Channel, data: str) -> None:
    """`a=1 b=2`, or `^^;a=1;b=2` with a separator of one's own."""
    separator = " "
    if data.startswith("^^") and len(data) > 2:
        separator, data = data[2], data[3:]
    for pair in data.split(separator):
        if pair:
            await set_one(channel, pair)


async def unset(channel: Channel, data: str) -> None:
    """Remove a variable."""
    await set_one(channel, data)


async def sched_hangup(channel: Channel, data: str) -> None:
    """`+<seconds> [cause]`: end the channel later; without a cause with ALLOTTED_TIMEOUT."""
    when, _, cause = data.partition(" ")
    in_s = int(when.lstrip("+") or 0)
    if not when.startswith("+"):
        in_s -= channel.node.clock.now_ms() // 1000
    cause = read_cause(cause.split(" ")[0]) if cause else "ALLOTTED_TIMEOUT"
    if in_s <= 0:
        channel.hang_up(cause)
        return
    channel.node.hang_up_in(channel, in_s, cause)
