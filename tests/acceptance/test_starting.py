"""A call server that is started before there is anything for it to do."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from controlplane.cli.ports import free_port
from controlplane.store.migrate import migrate
from tests.acceptance.platform import KEY, PROGRAM
from tests.chaos.database import DatabaseServer

pytestmark = pytest.mark.timeout(120)


def settings_for(url: str, folder: Path) -> Mapping[str, str]:
    return {
        "CALLPLANE_DATA": str(folder),
        "CALLPLANE_DATABASE_URL": url,
        "CALLPLANE_NODES": f"local=127.0.0.1:{free_port()}",
        "CALLPLANE_SECRET_KEY": KEY,
    }


@asynccontextmanager
async def call_server(environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "serve", "calls", env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def until_told(process: asyncio.subprocess.Process, event: str) -> list[str]:
    """Read until a line tells of this; answers what was told before."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(60):
        while f'"event": "{event}"' not in (line := (await process.stdout.readline()).decode()):
            assert line, f"it ended without {event}: {lines}"
            lines.append(line)
    return lines


async def test_it_waits_for_its_database_and_then_begins(short_folder: Path) -> None:
    database = await DatabaseServer.start(short_folder / "late")
    try:
        await database.halt()
        async with call_server(settings_for(database.url, short_folder / "late-data")) as process:
            await until_told(process, "database_awaited")
            await database.go_on()
            before = await until_told(process, "shards_taken")
            assert not any("Traceback" in line for line in before)
    finally:
        await database.stop()


async def test_it_can_be_told_to_stop_while_it_waits(short_folder: Path) -> None:
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    async with call_server(settings_for(nowhere, short_folder / "never")) as process:
        await until_told(process, "database_awaited")
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_it_waits_until_its_database_is_what_it_needs(short_folder: Path) -> None:
    database = await DatabaseServer.start(short_folder / "empty")
    try:
        await database.execute("DROP SCHEMA public CASCADE")
        await database.execute("CREATE SCHEMA public")
        async with call_server(settings_for(database.url, short_folder / "empty-data")) as process:
            await until_told(process, "database_awaited")
            await asyncio.to_thread(migrate, database.url)
            await until_told(process, "shards_taken")
    finally:
        await database.stop()
