"""answer, pre_answer, ring_ready, hangup, park."""

from __future__ import annotations

from controlplane.emulator import signalling
from controlplane.emulator.causes import read_cause
from controlplane.emulator.channel import Channel
from controlplane.emulator.thread import park as hold


async def answer(channel: Channel, _data: str) -> None:
    """Answer (200)."""
    signalling.answer(channel)


async def pre_answer(channel: Channel, _data: str) -> None:
    """Begin audio without answering (183)."""
    signalling.pre_answer(channel)


async def ring_ready(channel: Channel, _data: str) -> None:
    """Ring (180)."""
    signalling.ring(channel)


async def hangup(channel: Channel, data: str) -> None:
    """End the channel; without a cause, or with an unknown one, with NORMAL_CLEARING."""
    channel.hang_up(read_cause(data) if data else "NORMAL_CLEARING")


async def park(channel: Channel, _data: str) -> None:
    """Hold the channel."""
    await hold(channel)
