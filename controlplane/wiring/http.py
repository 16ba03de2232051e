"""HTTP served by a process of ours, until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import uvicorn

from controlplane.base.errors import BadInput

STOP_WITHIN_S = 5
# How long a connection waits for another request. Whoever closes it first must be the client, or a request that is on
# its way is lost: clients keep theirs for 5 s (httpx), 15 s (aiohttp) or 60 s (nginx); 5 s, uvicorn's own, meet that.
KEPT_S = 75


async def serve_http(app: Any, host: str, port: int, *, on_ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve an ASGI application until SIGTERM or SIGINT. Raises BadInput for a port that is taken."""
    try:
        listening = socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        raise BadInput(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from error
    with listening:
        server = server_of(app)
        telling = asyncio.create_task(_tell_when_ready(server, listening.getsockname()[1], on_ready))
        try:
            await server.serve(sockets=[listening])
        finally:
            telling.cancel()


def server_of(app: Any) -> uvicorn.Server:
    """What serves an application of ours."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_WITHIN_S,
        timeout_keep_alive=KEPT_S,
        server_header=False,
        proxy_headers=False,  # nothing of ours asks who or what was before a proxy
    )
    return uvicorn.Server(config)


async def _tell_when_ready(server: uvicorn.Server, port: int, on_ready: Callable[[dict[str, Any]], None]) -> None:
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    on_ready({"port": port})
