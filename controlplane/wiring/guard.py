"""The guard of a media node: ends links to its event socket that nobody reads (switch/stalled.py)."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from typing import Any

from controlplane.base.clock import Clock
from controlplane.settings import Settings
from controlplane.switch import sockets
from controlplane.switch.stalled import Stalls
from controlplane.wiring.clock import SystemClock
from controlplane.wiring.meters import measured

log = logging.getLogger(__name__)

LOOK_S = 1.0
# Longer than a call server takes to close its links itself (switch/pinging.py) or to be killed
# (callserver/watchdog.py), and short of any harm: at 100 calls a second 12,000 events wait for one link by then.
PATIENCE_S = 15.0


async def serve_guard(settings: Settings, port: int, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Guard the event socket on this port until SIGTERM or SIGINT. Raises SocketsUnseen."""
    sockets.connections_of(port)
    guarding = asyncio.create_task(guard(port, Stalls(PATIENCE_S), SystemClock(), look_s=LOOK_S))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, guarding.cancel)
    async with measured(settings):
        on_ready({"port": port})
        await asyncio.wait({guarding})
        if not guarding.cancelled():
            guarding.result()


async def guard(port: int, stalls: Stalls, clock: Clock, *, look_s: float) -> None:
    """End what stalls, for ever. Raises SocketsUnseen."""
    while True:
        for stalled in stalls.look(sockets.connections_of(port), clock.monotonic_s()):
            log.error("unread_link_ended", extra={"peer": stalled.peer, "waiting_bytes": stalled.waiting_bytes})
            sockets.end(stalled)
        await clock.sleep(look_s)
