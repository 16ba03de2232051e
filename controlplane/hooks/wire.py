"""One request over one connection: the only place that talks to the HTTP library."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from controlplane.hooks.faults import Dropped, fault_of, retry_class_of
from controlplane.hooks.guard import Guard, GuardedResolver, Lookup
from controlplane.hooks.limits import Limits, Plan
from controlplane.hooks.overrides import RetryOn
from controlplane.hooks.target import Target
from controlplane.hooks.tls import silent_context, verifying_context

_NEVER_ROUND_UP_S = 1e9  # the library rounds long timeouts up to whole seconds; ours are kept to the millisecond


@dataclass(frozen=True, slots=True)
class Ask:
    """A request ready to go: what the signature covers is what goes out."""

    method: str
    target: Target
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(slots=True)
class Progress:
    """How far a request is, for the text of a timeout; and whether its connection had served another before."""

    stage: str = "waiting for a free place"
    is_reused: bool = False
    retry_class: RetryOn | None = None


class Wire:
    """Connections to tenants: pooled, kept alive, without shared cookies, proxies or settings from the environment."""

    def __init__(self, guard: Guard, lookup: Lookup, limits: Limits, authorities: Path | None) -> None:
        self._verifying = verifying_context(authorities)
        self._silent: ssl.SSLContext | None = None
        self._authorities = authorities
        self._guard, self._lookup, self._limits = guard, lookup, limits
        self._pooled = self._open(is_pooled=True)
        # A connection of the pool may have been closed by the server at this very moment. The second try must not draw
        # another of its kind.
        self._fresh = self._open(is_pooled=False)

    async def close(self) -> None:
        """Close all connections, the idle and the busy."""
        await self._pooled.close()
        await self._fresh.close()

    async def send(self, ask: Ask, plan: Plan, progress: Progress) -> aiohttp.ClientResponse:
        """Send and wait for the header of the answer; raises HookError, and leaves its retry class in `progress`."""
        progress.retry_class = None
        try:
            try:
                return await self._send(self._pooled, ask, plan, progress)
            except Dropped:
                # The idempotency token in the request makes this repeat harmless (RFC 9110 §9.2.2).
                if not progress.is_reused:
                    raise
            return await self._send(self._fresh, ask, plan, progress)
        except (aiohttp.ClientError, OSError) as error:
            progress.retry_class = retry_class_of(error)
            # `from None`: the library's texts hold the whole URL, and this error may be logged.
            raise fault_of(error) from None

    async def _send(
        self, session: aiohttp.ClientSession, ask: Ask, plan: Plan, progress: Progress
    ) -> aiohttp.ClientResponse:
        timeout = aiohttp.ClientTimeout(
            total=None, connect=plan.connect_s, sock_read=plan.read_s, ceil_threshold=_NEVER_ROUND_UP_S
        )
        progress.stage, progress.is_reused = "connecting", False
        response = await session.request(
            ask.method,
            ask.target.for_wire(),
            data=ask.body,
            headers=ask.headers,
            allow_redirects=False,
            timeout=timeout,
            ssl=self._verifying if plan.sends_sni else self._silent_context(),
            trace_request_ctx=progress,
        )
        progress.stage = "reading the answer"
        return response

    def _silent_context(self) -> ssl.SSLContext:
        if self._silent is None:
            self._silent = silent_context(self._authorities)
        return self._silent

    def _open(self, *, is_pooled: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self._guard, self._lookup),
            socket_factory=self._guard.socket_to,
            force_close=not is_pooled,
            keepalive_timeout=self._limits.keep_alive_s if is_pooled else None,
            limit=0,  # lanes.py bounds what is under way
            timeout_ceil_threshold=_NEVER_ROUND_UP_S,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=_NoCookies(),
            trust_env=False,
            auto_decompress=False,  # bodies.py decodes within bounds
            trace_configs=[_tracing()],
            middlewares=(_own_up_to_drops,),
        )


class _NoCookies(aiohttp.DummyCookieJar):
    """Cookies belong to calls, not to the process; nor are a tenant's malformed ones to be parsed and logged here."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Keep nothing."""


async def _own_up_to_drops(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep the library from sending a GET twice of its own accord; what is repeated is decided here."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError, aiohttp.ClientConnectionResetError) as error:
        raise Dropped from error


def _tracing() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(_on_reused)
    tracing.on_connection_create_end.append(_on_connected)
    return tracing


async def _on_reused(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    progress: Progress = context.trace_request_ctx
    progress.is_reused, progress.stage = True, "waiting for the answer"


async def _on_connected(_: aiohttp.ClientSession, context: SimpleNamespace, __: Any) -> None:
    progress: Progress = context.trace_request_ctx
    progress.stage = "waiting for the answer"


def abandon(response: aiohttp.ClientResponse) -> None:
    """Drop an answer that is not wanted to its end, and its connection with it; a fully read one is left alone.

    A TLS connection that is merely closed would go on reading until the server says goodbye.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()
