"""What must never happen, and who watches for it.

A canary is a file that no command of ours makes, an address that nobody of ours talks to, a variable, event, header or
application that we never name. Whoever sees one sing says so here; nothing else is a canary.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

NAME = "canary"


@dataclass(slots=True)
class Canaries:
    """Those of one run. `sung` are what was seen, each once; `host` is a UDP and TCP address that must stay silent.

    A tenant's URL may lead there: what the platform itself asks for by HTTP is none, nor is what begins TLS, as that
    looks the same from anybody.
    """

    folder: Path
    host: str = ""
    sung: dict[str, None] = field(default_factory=dict)

    def sing(self, what: str) -> None:
        """Something happened that must not."""
        self.sung[what[:300]] = None

    def file(self, number: int) -> str:
        """The path of the file that one attempt tries to make."""
        return f"{self.folder}/{number}"

    def look(self) -> None:
        """Look for files."""
        for path in self.folder.iterdir():
            self.sing(f"a file appeared: {path.name}")


@asynccontextmanager
async def watching_canaries(folder: Path) -> AsyncIterator[Canaries]:
    """Canaries in a new folder and on a free port, while the block runs."""
    folder.mkdir()
    folder.chmod(0o777)
    canaries = Canaries(folder)
    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(partial(_hear, canaries), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    datagrams, _ = await loop.create_datagram_endpoint(lambda: _Ear(canaries), address)
    canaries.host = f"127.0.0.1:{address[1]}"
    try:
        yield canaries
    finally:
        datagrams.close()
        server.close()
        canaries.look()


async def _hear(canaries: Canaries, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the first that is said on a connection; who closes it without a word gave up, and did nothing."""
    with contextlib.suppress(OSError):
        said = await reader.read(4096)
        if said and not said.startswith(_TLS) and not _ASKED_BY_US.match(said):
            canaries.sing(f"somebody connected to the canary's address: {said[:60]!r}")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
    writer.close()


_TLS = b"\x16\x03"  # a handshake's record (RFC 8446 §5.1)
_ASKED_BY_US = re.compile(rb"(?:GET|POST) \S+ HTTP/1\.1\r\n(?:[^\r\n]+\r\n)*?User-Agent: Callplane\r\n")


class _Ear(asyncio.DatagramProtocol):
    """Nobody is to send anything here."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._canaries.sing(f"somebody sent to the canary's address: {data[:60]!r}")
