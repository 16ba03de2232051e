"""What processes show of themselves."""

from __future__ import annotations

import asyncio
from urllib.request import urlopen

from controlplane.cli.ports import free_port
from controlplane.settings import Settings
from controlplane.wiring.meters import measured


async def test_a_process_shows_itself_where_a_port_is_set() -> None:
    port = free_port()

    def read() -> str:
        with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            return str(answer.read(), "utf-8")

    async with measured(Settings(metrics_port=port)):
        shown = await asyncio.to_thread(read)
    assert "process_resident_memory_bytes" in shown
    assert "controlplane_loop_lag_seconds_bucket" in shown


async def test_without_a_port_nothing_is_served() -> None:
    async with measured(Settings()):
        pass
