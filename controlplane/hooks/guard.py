"""Which addresses a tenant may make us ask.

Three walls, because a name can mean another address each time it is looked up:

1. a host that is an address is judged as it is written (`check`);
2. a name is looked up here and nowhere else, every address it has is judged, and one bad address refuses the name
   (`GuardedResolver`, which the connector uses for the connection itself, so nothing is looked up twice);
3. each socket is judged once more by the address it is about to connect to (`socket_to`).

Redirects come back to the first wall. The operator may open his own network (`allow_private`), never the rest.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from contextvars import ContextVar
from typing import TypeAlias

from aiohappyeyeballs import AddrInfoType
from aiohttp.abc import AbstractResolver, ResolveResult

from controlplane.base.addresses import Reach, parse_address, reach_of
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.lanes import Lanes
from controlplane.hooks.target import Target

# Answers the addresses of a name, as text; raises OSError (socket.gaierror) if it has none.
Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]

_WAIT_S = 15.0  # no request waits for longer

# Whose request needs the name that is looked up: a lane of lanes.py.
lane_under_way: ContextVar[str] = ContextVar("hook_lane", default="")

REFUSED = "the host's address is not on the public internet"


class AddressRefused(OSError):
    """A name or socket leads where tenants may not make us go."""


class Guard:
    """Judges addresses. `allow_private` opens loopback and private networks, for a laptop or an intranet."""

    def __init__(self, *, allow_private: bool = False) -> None:
        self._allowed = frozenset({Reach.PUBLIC, Reach.PRIVATE} if allow_private else {Reach.PUBLIC})

    def allows(self, address: str) -> bool:
        """Say whether this address may be connected to; text that is no address may not."""
        parsed = parse_address(address)
        return parsed is not None and reach_of(parsed) in self._allowed

    def check(self, target: Target) -> None:
        """Raise HookError 11210 if the host is an address that may not be asked; names pass, they are judged later."""
        if parse_address(target.host) is not None and not self.allows(target.host):
            raise HookError(Code.BAD_HOST, REFUSED)

    def socket_to(self, info: AddrInfoType) -> socket.socket:
        """Make the socket for a connection to this address; raises AddressRefused."""
        family, kind, protocol, _, address = info
        if not self.allows(str(address[0])):
            raise AddressRefused(REFUSED)
        return socket.socket(family, kind, protocol)


class GuardedResolver(AbstractResolver):
    """Looks names up and lets only those pass whose every address is allowed."""

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard, self._lookup = guard, lookup

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the connector filters by it itself
    ) -> list[ResolveResult]:
        """Answer the addresses of a name, judged; raises OSError, AddressRefused if any is not allowed."""
        addresses = list(dict.fromkeys(await self._lookup(host)))
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no addresses")
        if not all(self._guard.allows(address) for address in addresses):
            raise AddressRefused(REFUSED)
        return [_result_of(host, port, address) for address in addresses]

    async def close(self) -> None:
        """Nothing is held."""


class SystemLookup:
    """Looks names up with the C library in threads of its own, not those of the event loop's executor, which other work
    of the process waits for.

    The C library cannot be told to leave off: a thread that asks slow name servers is busy for up to half a minute,
    though its request was given up long before. So a tenant may hold a few of the threads and no more.
    """

    def __init__(
        self, *, threads: int = 64, per_lane: int = 8, resolve: Callable[[str], list[str]] | None = None
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="hooks-dns")
        self._lanes = Lanes(per_lane=per_lane, at_once=threads)
        self._resolve = resolve or _addresses_of

    async def __call__(self, host: str) -> list[str]:
        """Answer a name's addresses, IPv4 and IPv6, in the order the system prefers."""
        place = AsyncExitStack()
        try:
            async with asyncio.timeout(_WAIT_S):
                await place.enter_async_context(self._lanes.place(lane_under_way.get()))
        except TimeoutError:
            raise socket.gaierror(socket.EAI_AGAIN, "too many slow names") from None
        return await asyncio.shield(asyncio.create_task(self._look_up(place, host)))

    async def _look_up(self, place: AsyncExitStack, host: str) -> list[str]:
        async with place:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host)

    def close(self) -> None:
        """Let the threads end when their lookups do."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses_of(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [_with_zone(info[4]) for info in found]


def _with_zone(address: tuple[object, ...]) -> str:
    # A scope id is the mark of a link-local address: keep it, so that it is refused.
    is_scoped = len(address) == 4 and address[3] and "%" not in str(address[0])
    return f"{address[0]}%{address[3]}" if is_scoped else str(address[0])


def _result_of(host: str, port: int, address: str) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=flags)
