"""bridge (mod_dptools.c, audio_bridge_function)."""

from __future__ import annotations

from controlplane.emulator.bridging import converse, handle_cause
from controlplane.emulator.channel import Channel
from controlplane.emulator.dialling import parse_dial_string
from controlplane.emulator.originating import originate


async def bridge(channel: Channel, data: str) -> None:
    """Dial, and join the leg that answers. A failure ends the channel unless `continue_on_fail` says otherwise."""
    if not data:
        return
    result = await originate(channel.node, channel, parse_dial_string(data), None)
    if result.leg is None:
        channel.variables.set("originate_failed_cause", result.cause)
        handle_cause(channel, result.cause)
        return
    await converse(channel, result.leg)
