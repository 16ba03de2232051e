"""One connection to a media node's event socket.

FreeSWITCH answers commands strictly in their order, so replies are matched by a queue. Events are handed over inside
`data_received`: nothing here ever waits for a handler, and a handler may not wait either. A reader that lags would fill
FreeSWITCH's queue for us and, in the end, freeze the whole node (ARCHITECTURE.md); so whoever cannot keep up
calls `abort`, and finds out later what it missed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from controlplane.base.errors import Unavailable
from controlplane.esl.commands import KICK, Command
from controlplane.esl.connection import ClientConnection
from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import EslEvent, Frame

LOGIN_TIMEOUT_S = 5.0
MAX_UNSENT_BYTES = 4 * 1024 * 1024  # the node has stopped reading us

ReplyHandler = Callable[[Frame | None], None]  # None: the link ended first


class LinkLost(Unavailable):
    """The link to the media node is gone."""

    slug = "link-lost"


class LinkRefused(LinkLost):
    """The media node's machine says that nobody listens there: FreeSWITCH does not run."""

    slug = "link-refused"


class Connect(Protocol):
    """Opens a connection to a node: over TCP, or in memory to the emulator."""

    def __call__(self, factory: Callable[[], asyncio.Protocol], /) -> Awaitable[object]: ...


class Link(asyncio.Protocol):
    """A logged-in connection. `on_event` gets every event, `on_end` is told once why it is over."""

    def __init__(self, on_event: Callable[[EslEvent], None], on_end: Callable[[str], None]) -> None:
        self._on_event, self._on_end = on_event, on_end
        self._codec = ClientConnection()
        self._replies: deque[ReplyHandler] = deque()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._login: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended_because = ""

    # What others call

    async def log_in(self, auth: Command) -> None:
        """Wait for the greeting and give the password; raises LinkLost."""
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT_S):
                await self._login
                reply = await self.ask(auth)
        except TimeoutError:
            self.abort("no greeting")
            raise LinkLost(None, why="no greeting") from None
        if not reply.reply_text.startswith("+OK"):
            self.abort("password refused")
            raise LinkLost("The media node refuses the event-socket password.")

    @property
    def is_up(self) -> bool:
        return self._transport is not None and not self._ended_because

    def send(self, command: Command, on_reply: ReplyHandler | None = None) -> None:
        """Write one command. Raises LinkLost when the link is gone; the reply goes to `on_reply`.

        What is sent in one turn of the loop goes out at its end, in one write: each costs a system call here, and wakes
        FreeSWITCH's thread.
        """
        if self._transport is None or self._ended_because:
            raise LinkLost(None, why=self._ended_because)
        self._replies.append(on_reply or _ignore)
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(command.data)

    def _flush(self) -> None:
        data, self._unsent = b"".join(self._unsent), []
        if self._transport is None or self._ended_because or not data:
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self.abort("the node does not read")

    def ask(self, command: Command) -> asyncio.Future[Frame]:
        """Write one command; the future has its reply, or raises LinkLost."""
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()

        def arrived(frame: Frame | None) -> None:
            if future.done():
                return
            if frame is None:
                future.set_exception(LinkLost(None, why=self._ended_because))
            else:
                future.set_result(frame)

        self.send(command, arrived)
        return future

    def kick(self) -> None:
        """Wake the node's thread for this link, which otherwise looks for events every 20 ms (performance, 1)."""
        if self._transport is not None and not self._ended_because:
            self._transport.write(KICK.data)

    def abort(self, why: str) -> None:
        """Drop the link, after what was sent."""
        self._flush()
        if self._transport is not None:
            self._transport.abort()
        self._end(why)

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._codec.feed(data)
            for frame in frames:
                self._take(frame)
        except RemoteEslError as error:
            self.abort(error.message)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc) if exc else "closed by the node")

    def _take(self, frame: Frame) -> None:
        match frame.content_type:
            case "text/event-plain" | "text/event-json":
                self._on_event(frame.event())
            case "command/reply" | "api/response":
                if not self._replies:
                    raise RemoteEslError("A reply to nothing.")
                self._replies.popleft()(frame)
            case "auth/request":
                if not self._login.done():
                    self._login.set_result(None)
            case "text/disconnect-notice" | "text/rude-rejection":
                self.abort(frame.content_type)

    def _end(self, why: str) -> None:
        if self._ended_because:
            return
        self._ended_because = why or "closed"
        if not self._login.done():
            self._login.set_exception(LinkLost(None, why=why))
            self._login.exception()
        while self._replies:
            self._replies.popleft()(None)
        self._on_end(self._ended_because)


def _ignore(_frame: Frame | None) -> None:
    pass
