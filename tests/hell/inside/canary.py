"""Listeners of this world: the canary, which nobody may reach, and a tenant's application, which is outside."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

from tests.hell.inside.places import Order
from tests.hell.inside.world import METADATA, PUBLIC
from tests.unit.hooks.servers import answer, read_request


@dataclass(slots=True)
class Canary:
    """On one port of every address that there is, and where clouds have their metadata.

    `hits` are the addresses that were reached, and what was said there.
    """

    port: int = 0
    hits: list[str] = field(default_factory=list)

    async def start(self) -> None:
        """Listen."""
        four = await asyncio.start_server(self._take, "0.0.0.0", 0)
        self.port = four.sockets[0].getsockname()[1]
        await asyncio.start_server(self._take, "::", self.port)
        await asyncio.start_server(self._take, [*METADATA], 80)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached = writer.get_extra_info("sockname")[0]
        if reached == PUBLIC:  # outside, where a name may lead that is inside the next time
            writer.close()
            return
        place = len(self.hits)
        self.hits.append(reached)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                self.hits[place] = f"{reached} {(await reader.read(200)).decode('latin-1')!r}"
        writer.write(answer(b"", "404 Not Found"))
        writer.close()


@dataclass(slots=True)
class Application:
    """Serves each order its document at `/NUMBER`; `/NUMBER/hop` leads where its URL points, others do as they say."""

    orders: list[tuple[str, Order]] = field(default_factory=list)
    asked: int = 0

    async def start(self) -> None:
        """Listen where the public internet is."""
        await asyncio.start_server(self._serve, PUBLIC, 80)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError):
            while (request := await read_request(reader)) is not None:
                self.asked += 1
                writer.write(self._answer(request.path))
                await writer.drain()
        writer.close()

    def _answer(self, path: str) -> bytes:
        number, _, what = path.partition("?")[0].removeprefix("/").partition("/")
        if not number.isdigit() or int(number) >= len(self.orders):
            return answer(b"", "404 Not Found")
        url, order = self.orders[int(number)]
        match what:
            case "hop":
                return answer(b"", "302 Found", location="{place}").replace(b"{place}", url.encode())
            case "bye":
                return answer(b"<Response><Hangup/></Response>")
            case "broken":
                return answer(b"", "500 Oops")
        return answer(order.document.encode())
