"""What the HTTP library lacks for servers that mean harm: a bound on all that an answer may be, and a word on progress.

A server can keep a parser busy with what is no content: chunk extensions, one-byte chunks, 1xx answers. A chunk
extension without end burnt a core for the fifteen seconds it was given; hence the bound on the bytes of an answer.
One-byte chunks stop the event loop for 25 ms in each read of 256 KiB; hence the small receive buffer. A
buffer full of tiny answers did so for 100 ms; hence the small pieces.

It can also say more than it was asked, and the library takes what came in between for the answer to the next request,
which is another call's. Nobody asks on a connection that has said anything since its last answer.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import aiohttp
from aiohappyeyeballs import AddrInfoType
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.connector import Connection
from aiohttp.helpers import _EXC_SENTINEL
from aiohttp.tracing import Trace
from yarl import URL

from controlplane.hooks.faults import TooMuch
from controlplane.hooks.guard import Guard
from controlplane.hooks.overrides import RetryOn

_RECEIVE_BYTES = 64 * 1024
_PIECE_BYTES = 4 * 1024
_MOST_ANSWERS = 8  # to one request, before anyone reads them: 1xx and the answer


@dataclass(slots=True)
class Progress:
    """How far a request is, for the text of a timeout; and whether its connection had served another before.

    `most_bytes` is what a server may say in one answer, header and framing included.
    """

    most_bytes: int
    stage: str = "waiting for a free place"
    is_reused: bool = False
    retry_class: RetryOn | None = None


under_way: ContextVar[Progress] = ContextVar("hook_under_way")


class CountingProtocol(ResponseHandler):
    """A connection that ends when its server says more than it may."""

    _left_bytes = 0
    _is_cut_off = False

    def allow(self, most_bytes: int) -> None:
        """Begin another request."""
        self._left_bytes = most_bytes

    @property
    def is_quiet(self) -> bool:
        """Whether nothing came since the last answer, nor lies unread: then what comes next is the next answer."""
        if self.should_close or self.transport is None:
            return False
        unread = select.poll()
        unread.register(self.transport.get_extra_info("socket"), select.POLLIN)
        return not unread.poll(0)

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is too much, a little at a time."""
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._cut_off()
            return
        super().data_received(data[:_PIECE_BYTES])
        for start in range(_PIECE_BYTES, len(data), _PIECE_BYTES):
            if len(self._buffer) > _MOST_ANSWERS:
                self._cut_off()
                return
            super().data_received(data[start : start + _PIECE_BYTES])

    def set_exception(self, exc: BaseException, exc_cause: BaseException = _EXC_SENTINEL) -> None:
        """Tell whoever reads. What closing brings is no news after a cut."""
        super().set_exception(TooMuch() if self._is_cut_off else exc, exc_cause)

    def _cut_off(self) -> None:
        self._is_cut_off, payload = True, self._payload
        self.abort()  # forgets the exception and the payload
        self.set_exception(TooMuch())
        if payload is not None:
            payload.set_exception(TooMuch())


class GuardedConnector(aiohttp.TCPConnector):
    """Connects where the guard allows, and reports to the request that is under way.

    The library's own tracing would report too, for a tenth of what a request costs.
    """

    def __init__(self, guard: Guard, **options: Any) -> None:
        super().__init__(socket_factory=self._socket_to, **options)
        self._guard = guard
        self._factory = cast("partial[ResponseHandler]", partial(CountingProtocol, loop=self._loop))

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's own signature
    ) -> Connection:
        """Draw a connection from the pool or make one."""
        progress = under_way.get()
        connection = await super().connect(req, traces, timeout)
        assert isinstance(connection.protocol, CountingProtocol)
        connection.protocol.allow(progress.most_bytes)
        progress.stage = "waiting for the answer"
        return connection

    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        while (connection := await super()._get(key, traces)) is not None:
            assert isinstance(connection.protocol, CountingProtocol)
            if connection.protocol.is_quiet:
                return connection
            connection.close()
        return None

    def _release(self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False) -> None:
        super()._release(key, protocol, should_close=should_close)
        assert isinstance(protocol, CountingProtocol)
        protocol.allow(0)

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the library's own signature
    ) -> ResponseHandler:
        under_way.get().is_reused = False
        return await super()._create_connection(req, traces, timeout)

    def _socket_to(self, info: AddrInfoType) -> socket.socket:
        made = self._guard.socket_to(info)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        return made


class NoCookies(aiohttp.DummyCookieJar):
    """Cookies belong to calls, not to the process; nor are a tenant's malformed ones to be parsed and logged here."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Keep nothing."""
