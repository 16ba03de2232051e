"""How HTTP is served: what a client may count on."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from controlplane.wiring.http import server_of
from tests.still_time import StillTime


async def nothing(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """An application with an empty answer."""
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_connection_is_kept_for_longer_than_clients_keep_it(time: StillTime) -> None:
    server = server_of(nothing)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await time.move(0.1)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        for _ in range(3):
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204 ")
            await time.move(60)
        writer.close()
        server.should_exit = True
        while not serving.done():
            await time.move(0.1)
