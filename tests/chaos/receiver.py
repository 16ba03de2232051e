"""The tenant's application of a chaos run: answers documents, takes events, keeps its own log of both.

    /app/<flow>…      documents, from tests/chaos/flows.py
    /events/…         status events: 204

`while_answering` is called (and awaited) when a request for a document is whole and nothing was answered yet.
`die` and `come_back` make the endpoint refuse connections for a while.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

Pages = Callable[[str, Mapping[str, str]], str | None]  # path, parameters → document
Hook = Callable[[str, Mapping[str, str]], Awaitable[None]]


@dataclass(slots=True)
class Receiver:
    """One HTTP server. `log` is where lines go; change it between runs."""

    pages: Pages
    log: Path
    port: int = 0
    while_answering: Hook | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)  # WAV files, by path
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on a free port the first time."""
        application = web.Application(client_max_size=1 << 22)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Refuse connections, and end those that are open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        line: dict[str, Any] = {"at": time.time(), "path": request.path, "answered": None}
        line["headers"] = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = await request.read()
            line["body"] = _decoded(request.content_type, body)
            response = await self._response(request, line["body"])
            line["answered"] = response.status
        finally:
            with self.log.open("a") as file:
                file.write(json.dumps(line) + "\n")
        return response

    async def _response(self, request: web.Request, body: Any) -> web.Response:
        if request.path in self.files:
            return web.Response(body=self.files[request.path], content_type="audio/wav")
        if request.path.startswith("/events"):
            return web.Response(status=204)
        parameters = {**request.query, **(body if isinstance(body, dict) else {})}
        if self.while_answering is not None:
            await self.while_answering(request.path, parameters)
        document = self.pages(request.path, parameters)
        if document is None:
            return web.Response(status=404, text="nothing here")
        return web.Response(text=document, content_type="text/xml")


def _decoded(kind: str, body: bytes) -> Any:
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    with suppress(ValueError):
        return json.loads(body) if body else {}
    return body.decode("utf-8", "replace")
