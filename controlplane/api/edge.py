"""The outermost layer of the API: whatever happens inside, a bounded request goes in and a decent answer comes out.

It bounds bodies, sets headers, turns errors and what nobody expected into problem documents, and times everything.
Written as bare ASGI: it is passed by every request.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from controlplane.api.errors import BodyTooLarge, InternalError
from controlplane.api.parts import ApiParts
from controlplane.api.problems import Refusal, answer_to
from controlplane.base.errors import CallplaneError

log = logging.getLogger(__name__)

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]
_NOTHING_RUNS = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGES_RUN = (
    b"content-security-policy",
    b"default-src 'none'; connect-src 'self'; img-src 'self' data: https://fastapi.tiangolo.com; "
    b"script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    b"frame-ancestors 'none'",
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PAGES = frozenset({"/docs"})


@dataclass(slots=True)
class _Exchange:
    """One request under way: what came in, what went out."""

    taken_bytes: int = 0
    status: int = 0


class Edge:
    """ASGI middleware, the first to be asked."""

    def __init__(self, app: ASGIApp, parts: ApiParts) -> None:
        self._app, self._clock, self._meter, self._most = app, parts.clock, parts.meter, parts.max_body_bytes
        always = [*_HEADERS, *([_HTTPS_ONLY] if parts.public_url.startswith("https://") else [])]
        self._headers, self._page_headers = [*always, _NOTHING_RUNS], [*always, _PAGES_RUN]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = self._clock.monotonic_s()
        exchange = _Exchange()
        await self._exchange(scope, receive, send, exchange)
        route = getattr(scope.get("route"), "path", "")
        took_s = self._clock.monotonic_s() - began_s
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"  # a client may write anything there
        self._meter.request_answered(method, route, exchange.status, took_s)

    async def _exchange(self, scope: Scope, receive: Receive, send: Send, exchange: _Exchange) -> None:
        headers = self._page_headers if scope["path"] in _PAGES else self._headers

        async def receive_bounded() -> Message:
            message = await receive()
            exchange.taken_bytes += len(message.get("body", b""))
            if exchange.taken_bytes > self._most:
                raise HTTPException(413)  # the one kind of error that FastAPI lets pass while it reads a body
            return message

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in headers if one[0] not in own)]
            await send(message)

        try:
            if _announced_bytes(scope) > self._most:
                raise BodyTooLarge
            await self._app(scope, receive_bounded, send_noted)
        except (CallplaneError, RequestValidationError, HTTPException) as error:
            await self._answer(error, scope, receive, send_noted, exchange)
        except Exception:
            log.exception("request_failed", extra={"method": scope["method"], "path": scope["path"]})
            await self._answer(InternalError(), scope, receive, send_noted, exchange)

    async def _answer(self, error: Refusal, scope: Scope, receive: Receive, send: Send, exchange: _Exchange) -> None:
        if exchange.status:
            raise error  # the answer had begun: only breaking it off tells the client
        await answer_to(error, scope["path"])(scope, receive, send)


def _announced_bytes(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
