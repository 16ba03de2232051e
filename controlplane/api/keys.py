"""Who asks: every path of the API proper wants a good key before anything else of the request is looked at."""

from __future__ import annotations

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from controlplane.base.clock import Clock
from controlplane.services.api_keys import Holder, KeyRefused, digest_of
from controlplane.store.gathering import Gathering

PREFIX = "/api/v1"
_HOLDER = "callplane.holder"
_GOOD_FOR_S = 1.0
_MOST_KNOWN = 10_000


class Holders:
    """Whose a key is. An answer is good for a second: so much longer a key may work that was just revoked.

    Keys that are refused are not remembered: a new one works at once, and nobody can fill the memory with guesses.
    """

    def __init__(self, gathering: Gathering[bytes, Holder], clock: Clock) -> None:
        self._gathering, self._clock = gathering, clock
        self._known: dict[bytes, tuple[float, Holder]] = {}

    async def of(self, api_key: str) -> Holder:
        """Say who holds a key; raises KeyRefused."""
        digest, now_s = digest_of(api_key), self._clock.monotonic_s()
        known = self._known.get(digest)
        if known is not None and now_s < known[0]:
            return known[1]
        holder = await self._gathering.ask(digest)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[digest] = now_s + _GOOD_FOR_S, holder
        return holder


class KeyCheck:
    """ASGI middleware: finds out whose key it is, `x-api-key` or a bearer token."""

    def __init__(self, app: ASGIApp, holders: Holders) -> None:
        self._app, self._holders = app, holders

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            scope[_HOLDER] = await self._holders.of(_key_in(scope))
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
