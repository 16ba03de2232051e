"""A call server's own way to PostgreSQL, which can be cut without a word: what is sent is lost, and nobody is told."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from psycopg.conninfo import conninfo_to_dict, make_conninfo


@dataclass(slots=True)
class DatabaseWay:
    """Listens on loopback and passes on to the server at `port`, while it is open."""

    port: int
    is_cut: bool = False
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def url_of(self, url: str) -> str:
        """The address of the database at `url` by this way, which is open."""
        assert self._server is not None
        return make_conninfo(url, port=self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """From here on nothing passes; new connections are taken and not answered."""
        self.is_cut = True

    def mend(self) -> None:
        """New connections pass again; those of before are reset, as their ends think differently of them."""
        self.is_cut = False
        for writer in [*self._writers]:
            writer.transport.abort()

    async def close(self) -> None:
        """End everything."""
        if self._server is not None:
            self._server.close()
        self.mend()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(OSError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.port)
            self._writers.add(there_writer)
            ways = {
                asyncio.create_task(self._carry(reader, there_writer)),
                asyncio.create_task(self._carry(there_reader, writer)),
            }
            self._tasks |= ways
            await asyncio.wait(ways)
            self._tasks -= ways
            self._writers.discard(there_writer)
            there_writer.transport.abort()
        self._writers.discard(writer)
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.is_cut:
                    continue
                writer.write(data)
                await writer.drain()
        if not self.is_cut:
            writer.close()


def port_of(url: str) -> int:
    """The port of a database's address."""
    return int(str(conninfo_to_dict(url)["port"]))
