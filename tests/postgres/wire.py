"""A wire to PostgreSQL that can be cut, as if the server were down, and stalled: bytes go in and nothing comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class Wire:
    """Carries bytes until it is stalled or cut; `url` leads through it."""

    def __init__(self, url: str) -> None:
        self._target = conninfo_to_dict(url)
        self._open = asyncio.Event()
        self._open.set()
        self._is_cut = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""

    def stall(self) -> None:
        self._open.clear()

    def cut(self) -> None:
        """End all connections, and take no new ones."""
        self._is_cut = True
        for task in list(self._tasks):
            task.cancel()

    def go_on(self) -> None:
        """Let new connections through; what was stalled stays dead."""
        for task in list(self._tasks):
            task.cancel()
        self._is_cut = False
        self._open.set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = make_conninfo("", **{**self._target, "host": "127.0.0.1", "port": port, "sslmode": "disable"})

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.close()
            return
        host, port = str(self._target["host"]), int(str(self._target["port"]))
        far_reader, far_writer = await asyncio.open_connection(host, port)
        ways = [self._carry(reader, far_writer), self._carry(far_reader, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        self._tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
            self._tasks.discard(task)
        for end in (writer, far_writer):
            end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._open.wait()
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    wire = Wire(url)
    await wire.start()
    try:
        yield wire
    finally:
        await wire.stop()
