"""What is left of a channel when it has ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.emulator.channel import Channel
from controlplane.emulator.hearing import Heard


@dataclass(frozen=True, slots=True)
class CallRecord:
    """What is left of a channel: the detail record, and what its party heard, said and sent.

    Times are milliseconds of the node's monotonic clock; `answered_ms` None if it never was.
    """

    uuid: str
    direction: str
    caller: str
    callee: str
    began_ms: int
    answered_ms: int | None
    ended_ms: int
    cause: str
    variables: Mapping[str, str]
    heard: tuple[Heard, ...]
    said: tuple[Heard, ...]
    digits_sent: tuple[tuple[int, str], ...]


def record_of(channel: Channel) -> CallRecord:
    """The record of a channel as it is now."""
    clock, times = channel.node.clock, channel.profile.times
    now_ms = clock.monotonic_ms()
    offset_ms = now_ms - clock.now_ms()
    return CallRecord(
        uuid=channel.uuid, direction=channel.profile.direction, caller=channel.profile.cid_number,
        callee=channel.profile.destination, began_ms=times.created // 1000 + offset_ms,
        answered_ms=times.answered // 1000 + offset_ms if times.answered else None,
        ended_ms=times.hungup // 1000 + offset_ms, cause=channel.cause,
        variables=dict(channel.variables.items()), heard=tuple(channel.hears.until(now_ms)),
        said=tuple(channel.says.until(now_ms)), digits_sent=tuple(channel.digits_sent),
    )  # fmt: skip
