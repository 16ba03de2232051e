"""What must never happen, and who watches for it.

A canary is a file that no command of ours makes, an address that nobody of ours talks to, a variable, event, header or
application that we never name. Whoever sees one sing says so here; nothing else is a canary.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

NAME = "canary"


@dataclass(slots=True)
class Canaries:
    """Those of one run. `sung` are what was seen, each once; `host` is a UDP and TCP address that must stay silent."""

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
    datagrams, _ = await loop.create_datagram_endpoint(lambda: _Ear(canaries), ("127.0.0.1", 0))
    port = datagrams.get_extra_info("sockname")[1]
    canaries.host = f"127.0.0.1:{port}"
    try:
        yield canaries
    finally:
        datagrams.close()
        canaries.look()


class _Ear(asyncio.DatagramProtocol):
    """Nobody is to send anything here."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._canaries.sing(f"somebody sent to the canary's address: {data[:60]!r}")
