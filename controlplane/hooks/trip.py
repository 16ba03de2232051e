"""A request from its first attempt to the end of its redirects."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import aiohttp

from controlplane.hooks.compose import Compose, Hop
from controlplane.hooks.connections import Progress
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.guard import Guard
from controlplane.hooks.limits import Plan
from controlplane.hooks.overrides import RetryOn
from controlplane.hooks.target import Target
from controlplane.hooks.wire import Ask, Wire, abandon
from controlplane.verbs.documents import Method

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BECOMES_GET = frozenset({301, 302, 303})


class Trip:
    """One request under way, begun when it is made. Its caller sets the deadline over the whole of it."""

    def __init__(self, wire: Wire, guard: Guard, plan: Plan, cookies: CallCookies | None) -> None:
        self._wire, self._guard, self._plan, self._cookies = wire, guard, plan, cookies
        self._retries_left = plan.retries
        self._began_s = time.monotonic()
        self.progress = Progress(plan.most_bytes)
        self.attempts = 0

    @property
    def elapsed_ms(self) -> int:
        """How long it has taken so far."""
        return round((time.monotonic() - self._began_s) * 1000)

    @property
    def left_s(self) -> float:
        """How long it may still take."""
        return self._plan.total_s - (time.monotonic() - self._began_s)

    async def answer(self, first: Target, method: Method, compose: Compose) -> tuple[Target, aiohttp.ClientResponse]:
        """Follow redirects to an answer that is none, and say where it came from; raises HookError."""
        hop = Hop(first, method)
        while True:
            self._guard.check(hop.target)
            response = await self._ask(compose(hop))
            if self._cookies is not None:
                self._cookies.take(hop.target, response.headers.getall("Set-Cookie", ()))
            if response.status not in _REDIRECTS:
                return hop.target, response
            try:
                hop = self._next_of(hop, response)
            finally:
                abandon(response)

    async def _ask(self, ask: Ask) -> aiohttp.ClientResponse:
        """Send, and again as the retry policy allows; nothing is repeated once part of an answer was read."""
        while True:
            self.attempts += 1
            try:
                response = await self._wire.send(ask, self._plan, self.progress)
            except HookError:
                if not self._may_retry(self.progress.retry_class):
                    raise
            else:
                if not self._may_retry(_class_of_status(response.status)):
                    return response
                abandon(response)
            self._retries_left -= 1
            await asyncio.sleep(self._plan.retry_pause_s)

    def _may_retry(self, retry_class: RetryOn | None) -> bool:
        return self._retries_left > 0 and retry_class in self._plan.retry_on

    def _next_of(self, hop: Hop, response: aiohttp.ClientResponse) -> Hop:
        if hop.index == self._plan.redirects:
            raise HookError(Code.REDIRECTS, f"more than {self._plan.redirects} redirects", status=response.status)
        location = response.headers.get("Location")
        if not location:
            raise HookError(Code.PROTOCOL_VIOLATION, "a redirect without a Location", status=response.status)
        target = hop.target.follow(location)
        if hop.target.scheme == "https" and target.scheme == "http":
            raise HookError(Code.REDIRECTS, "a redirect from https to http", status=response.status)
        if target.origin == hop.target.origin and not target.userinfo:
            target = replace(target, userinfo=hop.target.userinfo)
        if response.status in _BECOMES_GET:
            return Hop(target, "GET", hop.index + 1, keeps_body=False)
        return Hop(target, hop.method, hop.index + 1, hop.keeps_body)


def _class_of_status(status: int) -> RetryOn | None:
    if 400 <= status <= 499:
        return RetryOn.STATUS_4XX
    return RetryOn.STATUS_5XX if 500 <= status <= 599 else None
