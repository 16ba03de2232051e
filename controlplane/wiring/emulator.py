"""The emulator as a process: a media node for machines without FreeSWITCH."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Door, Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import LinkRules
from controlplane.emulator.scenarios import CalleePlan, Scenario
from controlplane.emulator.server import Server
from controlplane.settings import Settings


async def serve_emulator(settings: Settings, port: int, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Be a media node on loopback until SIGTERM; whoever is dialled rings for a second, answers, and listens."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    node = Node(RealClock(), door=Door("inbound", settings.door_watchdog_s))
    node.far_ends = Cast(node, Scenario(everybody_else=CalleePlan())).take_invite
    server = Server(node, LinkRules(password=settings.esl_password.get_secret_value()))
    on_ready({"port": await server.start("127.0.0.1", port)})
    try:
        await stop.wait()
    finally:
        await server.stop()
