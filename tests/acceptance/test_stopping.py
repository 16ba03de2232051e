"""Processes that are told to stop when something of theirs is not there yet, or not there any more."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from controlplane.cli.ports import free_port
from controlplane.store.embedded import running_in
from controlplane.store.migrate import migrate
from controlplane.wiring.calls import STOP_WITHIN_S
from tests.acceptance.platform import KEY, PROGRAM
from tests.postgres.wire import Wire


async def until_there(path: Path) -> None:
    async with asyncio.timeout(60):
        while not path.exists():
            await asyncio.sleep(0.02)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("moment", ["data.new/PG_VERSION", "data/postmaster.pid"])
async def test_up_told_to_stop_while_its_database_starts_leaves_nothing_behind(moment: str, short_folder: Path) -> None:
    data = short_folder / moment.replace("/", "-")
    data.mkdir(mode=0o755)
    up = await asyncio.create_subprocess_exec(
        *PROGRAM,
        "up",
        "--port",
        "0",
        "--data",
        str(data),
        "--freeswitch",
        "emulator",
        stdout=asyncio.subprocess.DEVNULL,
    )
    await until_there(data / "postgresql" / moment)
    up.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(up.wait(), 30) == 0
    assert running_in(data / "postgresql") is None
    assert not (data / "postgresql" / "data" / "postmaster.pid").exists()


@pytest.mark.timeout(120)
async def test_a_call_server_whose_database_does_not_answer_stops_in_seconds(
    server_url: str, short_folder: Path
) -> None:
    await asyncio.to_thread(migrate, server_url)
    wire = Wire(server_url)
    await wire.start()
    environment = {
        **os.environ,
        "CALLPLANE_DATA": str(short_folder),
        "CALLPLANE_DATABASE_URL": wire.url,
        "CALLPLANE_NODES": f"local=127.0.0.1:{free_port()}",
        "CALLPLANE_SECRET_KEY": KEY,
    }
    calls = await asyncio.create_subprocess_exec(
        *PROGRAM, "serve", "calls", env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert calls.stdout is not None
    while b"shards_taken" not in await asyncio.wait_for(calls.stdout.readline(), 60):
        pass
    wire.stall()
    await asyncio.sleep(1)  # its loops, in another process, are to be in the middle of asking
    asked_s = time.monotonic()
    calls.send_signal(signal.SIGTERM)
    await asyncio.wait_for(calls.communicate(), 60)
    assert time.monotonic() - asked_s < STOP_WITHIN_S + 3
    await wire.stop()
