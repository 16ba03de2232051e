"""Links that nobody reads, found from the media node's side.

A call server that hangs is killed by its own watchdog. Where both stand still (a frozen container, a machine that was
paused) nobody is left there to close its links, and the kernel goes on to answer for them, so that FreeSWITCH waits and
keeps what it has for them: 15 KB an event up to 100,000, and then the node freezes (ARCHITECTURE.md). Only
the node's own machine can end such a connection; FreeSWITCH then drops what waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from controlplane.switch.sockets import Connection


@dataclass(slots=True)
class Stalls:
    """What of a port's connections made no progress lately. Asked again and again, with the time of one clock."""

    patience_s: float
    _seen: dict[bytes, tuple[int, float]] = field(default_factory=dict)  # acknowledged bytes, since when

    def look(self, connections: Iterable[Connection], now_s: float) -> list[Connection]:
        """Answer those on which something waits and nothing was taken for `patience_s` seconds."""
        before, self._seen = self._seen, {}
        stalled = []
        for one in connections:
            if not one.waiting_bytes:
                continue
            acked, since_s = before.get(one.identity, (one.acked_bytes, now_s))
            since_s = since_s if acked == one.acked_bytes else now_s
            self._seen[one.identity] = one.acked_bytes, since_s
            if now_s - since_s >= self.patience_s:
                stalled.append(one)
        return stalled
