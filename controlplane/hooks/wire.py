"""One request over one connection: the only place that talks to the HTTP library."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from controlplane.hooks.connections import GuardedConnector, NoCookies, Progress, under_way
from controlplane.hooks.faults import Dropped, fault_of, retry_class_of
from controlplane.hooks.guard import Guard, GuardedResolver, Lookup
from controlplane.hooks.limits import Limits, Plan
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


class Wire:
    """Connections to tenants: pooled, kept alive, without shared cookies, proxies or settings from the environment."""

    def __init__(self, guard: Guard, lookup: Lookup, limits: Limits, authorities: Path | None) -> None:
        self._contexts: dict[bool, asyncio.Task[ssl.SSLContext]] = {}
        self._authorities = authorities
        self._guard, self._lookup, self._limits = guard, lookup, limits
        self._pooled = self._open(is_pooled=True)
        # A connection of the pool may have been closed by the server at this very moment. The second try must not draw
        # another of its kind.
        self._fresh = self._open(is_pooled=False)

    async def read_authorities(self) -> None:
        """Raise OSError now, not at the first request, if the operator's file of authorities is not one."""
        await self._context(sends_sni=True)

    async def close(self) -> None:
        """Close all connections, the idle and the busy."""
        for making in self._contexts.values():
            making.cancel()
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
        progress.stage, progress.is_reused = "connecting", True
        under_way.set(progress)
        response = await session.request(
            ask.method,
            ask.target.for_wire,
            data=ask.body,
            headers=ask.headers,
            allow_redirects=False,
            timeout=timeout,
            ssl=await self._context(sends_sni=plan.sends_sni) if ask.target.scheme == "https" else True,
        )
        progress.stage = "reading the answer"
        return response

    async def _context(self, *, sends_sni: bool) -> ssl.SSLContext:
        """The context of its kind, made at its first use, in a thread: reading the authorities takes 40 ms."""
        making = self._contexts.get(sends_sni)
        if making is None:
            make = verifying_context if sends_sni else silent_context
            making = self._contexts[sends_sni] = asyncio.create_task(asyncio.to_thread(make, self._authorities))
        return await asyncio.shield(making)

    def _open(self, *, is_pooled: bool) -> aiohttp.ClientSession:
        connector = GuardedConnector(
            self._guard,
            resolver=GuardedResolver(self._guard, self._lookup),
            force_close=not is_pooled,
            keepalive_timeout=self._limits.keep_alive_s if is_pooled else None,
            limit=0,  # lanes.py bounds what is under way
            timeout_ceil_threshold=_NEVER_ROUND_UP_S,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=NoCookies(),
            trust_env=False,
            auto_decompress=False,  # bodies.py decodes within bounds
            middlewares=(_own_up_to_drops,),
        )


# EofStream is what is left of a server that answered before it was asked, and closed (seen with uvloop).
_DROPS = (
    aiohttp.ClientOSError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientConnectionResetError,
    aiohttp.EofStream,
)


async def _own_up_to_drops(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep the library from sending a GET twice of its own accord; what is repeated is decided here."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise
    except _DROPS as error:
        raise Dropped from error


def abandon(response: aiohttp.ClientResponse) -> None:
    """Drop an answer that is not wanted to its end, and its connection with it; a fully read one is left alone.

    A TLS connection that is merely closed would go on reading until the server says goodbye.
    """
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()
