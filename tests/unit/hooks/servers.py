"""Real servers on loopback for these tests: one that answers what it is told, one that does what it likes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl

Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Seen:
    """A request as it came over the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def url(self) -> str:
        return f"http://{self.headers['host']}{self.path}"


Answer: TypeAlias = Callable[[Seen], bytes]


@dataclass
class Server:
    """A server that runs. `connections` counts what was accepted."""

    port: int
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    async def has_connections(self, number: int) -> None:
        """Wait until so many were accepted."""
        while self.connections < number:
            await asyncio.sleep(0)

    def url(self, path: str = "/voice", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def answer(body: bytes = b"<Response/>", status: str = "200 OK", **headers: str) -> bytes:
    """An answer with a length; header names are written with underscores."""
    fields = {"content_type": "text/xml", "content_length": str(len(body))} | headers
    lines = [f"{name.replace('_', '-').title()}: {value}" for name, value in fields.items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def redirect(location: str, status: str = "302 Found", **headers: str) -> bytes:
    return answer(b"", status, location=location, **headers)


OK = answer()


@asynccontextmanager
async def serving(reply: Answer | bytes = OK, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A well-behaved server that keeps connections alive."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await read_request(reader)) is not None:
            server.seen.append(request)
            writer.write(reply if isinstance(reply, bytes) else reply(request))
            await writer.drain()

    async with serving_raw(handle, tls) as server:
        yield server


@asynccontextmanager
async def serving_raw(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server that gives each connection to `handler`, and closes what is left when the test is over."""
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # RuntimeError: uvloop's word for writing to a connection that is gone.
        with contextlib.suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError, RuntimeError):
            await handler(reader, writer)
        writer.transport.abort()

    listener = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> Seen | None:
    """Read one request, or None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return Seen(method, path, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
