"""A tenant's application that costs next to nothing: a process that answers each path with what it was given.

It is the same for both sides of every comparison, and tells how many connections and requests there were.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection

XML, WAV = "text/xml", "audio/wav"
_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"

Pages = Mapping[str, tuple[str, bytes]]  # path to content type and body


@dataclass(frozen=True, slots=True)
class Counts:
    """Connections that were opened and requests that came for each path, since it began."""

    opened: int
    requests: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Application:
    """The running process."""

    port: int
    _pipe: Connection

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def counts(self) -> Counts:
        """How much it was asked."""
        self._pipe.send("counts")
        return Counts(*self._pipe.recv())


@contextmanager
def running_application(pages: Pages) -> Iterator[Application]:
    """The process, while the block runs; other paths are answered with 204."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs, dict(pages)), daemon=True)
    server.start()
    theirs.close()  # so that a process that dies is noticed
    try:
        yield Application(ours.recv(), ours)
    finally:
        server.terminate()
        server.join()


def _serve(pipe: Connection, pages: Pages) -> None:
    answers = {path.encode(): _answer(kind, body) for path, (kind, body) in pages.items()}
    asyncio.run(_serve_for_ever(pipe, answers))


def _answer(kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nCache-Control: max-age=3600\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _serve_for_ever(pipe: Connection, answers: Mapping[bytes, bytes]) -> None:
    opened, requests = 0, Counter[bytes]()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                _, _, length = head.lower().partition(b"\r\ncontent-length: ")
                if length:
                    await reader.readexactly(int(length.partition(b"\r")[0]))
                path = head.split(b" ", 2)[1].partition(b"?")[0]
                requests[path] += 1
                writer.write(answers.get(path, _TAKEN))
        writer.close()

    def tell() -> None:
        try:
            pipe.recv()
        except EOFError:  # whoever began us is gone
            over.set()
            return
        pipe.send((opened, {path.decode(): count for path, count in requests.items()}))

    over = asyncio.Event()
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=1000)
    pipe.send(server.sockets[0].getsockname()[1])
    asyncio.get_running_loop().add_reader(pipe.fileno(), tell)
    await over.wait()
    asyncio.get_running_loop().remove_reader(pipe.fileno())
