"""Who asks: every path of the API proper wants a good key before anything else of the request is looked at."""

from __future__ import annotations

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from controlplane.services.api_keys import Holder, KeyRefused
from controlplane.store.gathering import Gathering

PREFIX = "/api/v1"
_HOLDER = "callplane.holder"


class KeyCheck:
    """ASGI middleware: finds out whose key it is, `x-api-key` or a bearer token."""

    def __init__(self, app: ASGIApp, holders: Gathering[str, Holder]) -> None:
        self._app, self._holders = app, holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            scope[_HOLDER] = await self._holders.ask(_key_in(scope))
        await self._app(scope, receive, send)


def holder_of(request: Request) -> Holder:
    """Who asks; only on paths that KeyCheck guards."""
    holder: Holder = request.scope[_HOLDER]
    return holder


def _key_in(scope: Scope) -> str:
    """The key as it was sent; raises KeyRefused if there is none."""
    bearer = ""
    for name, value in scope["headers"]:
        if name == b"x-api-key" and value:
            return str(value, "latin-1")
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            bearer = str(value[7:], "latin-1").strip()
    if not bearer:
        raise KeyRefused
    return bearer
