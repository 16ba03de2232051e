"""The emulator as a process: a media node for machines without FreeSWITCH."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Door, LinkRules
from controlplane.emulator.scenarios import CalleePlan, Scenario
from controlplane.emulator.server import Server
from controlplane.settings import Settings
from controlplane.wiring.meters import measured


class Everybody(Mapping[str, CalleePlan]):
    """Whoever is dialled has the same plan."""

    def __getitem__(self, name: str) -> CalleePlan:
        return CalleePlan()

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


async def serve_emulator(settings: Settings, port: int, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Be a media node on loopback until SIGTERM; whoever is dialled rings for a second, answers, and listens."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    node = Node(RealClock(), door=Door("inbound", settings.door_watchdog_s))
    node.far_ends = Cast(node, Scenario(callees=Everybody())).take_invite
    server = Server(node, LinkRules(password=settings.esl_password.get_secret_value()))
    async with measured(settings):
        on_ready({"port": await server.start("127.0.0.1", port)})
        try:
            await stop.wait()
        finally:
            await server.stop()
