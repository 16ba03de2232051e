"""The server from hell as a process: one port a behaviour, so that it cannot slow the event loop it is held against.

`python -m tests.hell.server FOLDER` prints a JSON object of ports, and ends when its standard input does. FOLDER holds
the authority's certificate afterwards. `WELL` is an ordinary server; `full` a listener with no room in its backlog.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import sys
from pathlib import Path

from tests.hell.handshakes import BARE, contexts_of
from tests.hell.table import TABLE, WELL, answers_well
from tests.unit.hooks.certificates import make_authority
from tests.unit.hooks.servers import Handler

FULL = "full"


async def listen(handler: Handler, tls: ssl.SSLContext | None = None) -> int:
    """Serve on a port of the system's choice."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, EOFError, RuntimeError, ssl.SSLError, ValueError):
            await handler(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls, backlog=200)
    port: int = server.sockets[0].getsockname()[1]
    return port


def full_listener() -> list[socket.socket]:
    """A listener that accepts nobody, and as many waiting connections as it has room for: further ones hang."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    waiting = [socket.socket() for _ in range(3)]
    for one in waiting:
        one.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            one.connect(listener.getsockname())
    return [listener, *waiting]


async def serve(folder: Path) -> None:
    """Listen until standard input ends."""
    contexts = contexts_of(make_authority(folder))
    ports = {WELL: await listen(answers_well)}
    for name, behaviour in TABLE.items():
        ports[name] = await listen(
            behaviour.handler, contexts[behaviour.tls] if behaviour.tls not in ("", BARE) else None
        )
    full = full_listener()
    ports[FULL] = full[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _loop, _context: None)  # whoever goes away amid a handshake
        runner.run(serve(Path(sys.argv[1])))
