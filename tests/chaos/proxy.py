"""Stands between call servers and their media node: sees each message, and can lose it, delay it, or cut the line.

Each call server gets a port of its own, so that it is known who says what. Watchers are called before a message goes
on and decide whether it does; what they do at once (killing somebody, say) has happened by then. What follows a message
that does not go on does not either.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from tests.chaos.frames import Cutter, Frame


class Kind(Enum):
    """What a line is for, known by what its client subscribes to."""

    UNKNOWN = "unknown"
    EVENTS = "events"
    COMMANDS = "commands"


class Manner(Enum):
    """How a line treats what goes over it."""

    PASS = "pass"
    LOSE = "lose"  # nothing arrives any more; that one end closes still does
    SWALLOW = "swallow"  # a cable is pulled: nobody takes anything of either end any more, and nobody is told
    SLOW = "slow"  # each piece comes SLOW_S late, in order
    BY_BYTES = "by bytes"  # each byte is a segment of its own


SLOW_S = 0.2


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Times are of the epoch; `line_since_s` is when its line was opened."""

    at_s: float
    server: str
    line_since_s: float
    kind: Kind
    is_from_node: bool
    frame: Frame


Watcher = Callable[[Message], bool]  # answers whether the message goes on


@dataclass(eq=False, slots=True)
class Line:
    """One connection, both ways."""

    server: str
    writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    manner: Manner = Manner.PASS
    kind: Kind = Kind.UNKNOWN
    since_s: float = field(default_factory=time.time)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def swallow(self) -> None:
        """Read no more: what the ends send waits in their own kernels, and that one closes nobody sees until `cut`."""
        self.manner = Manner.SWALLOW
        for writer in self.writers:
            with suppress(OSError):  # it is over already
                # What the kernel here would take of it is as if it had arrived.
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            transport = writer.transport
            if isinstance(transport, asyncio.ReadTransport) and not transport.is_closing():
                transport.pause_reading()

    def cut(self) -> None:
        """Both ends see it as reset."""
        for writer in self.writers:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
                )  # RST, not FIN
            writer.transport.abort()
        self.over.set()

    def learn(self, frame: Frame) -> None:
        """See what the client subscribes to."""
        if frame.line.startswith("event "):
            self.kind = Kind.EVENTS if "CHANNEL_PARK" in frame.line else Kind.COMMANDS


@dataclass(slots=True)
class Proxy:
    """All lines to one node at `node_port` of loopback."""

    node_port: int
    watchers: list[Watcher] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    new_lines: Manner = Manner.PASS  # how lines are that are opened from now on
    _servers: list[asyncio.Server] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def listen_for(self, server: str) -> int:
        """Open a port for a call server; answers it."""

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._serve(server, reader, writer)

        listening = await asyncio.start_server(accept, "127.0.0.1", 0)
        self._servers.append(listening)
        port: int = listening.sockets[0].getsockname()[1]
        return port

    def lines_of(self, server: str, *kinds: Kind) -> list[Line]:
        """The open lines of a call server, of some kinds or of all."""
        return [line for line in self.lines if line.server == server and (not kinds or line.kind in kinds)]

    async def close(self) -> None:
        """Cut everything and listen no more."""
        for listening in self._servers:
            listening.close()
        for line in [*self.lines]:
            line.cut()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, server: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            node_reader, node_writer = await asyncio.open_connection("127.0.0.1", self.node_port)
        except OSError:
            writer.transport.abort()
            return
        for one in (writer, node_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(server, (writer, node_writer), self.new_lines)
        self.lines.append(line)
        ways = {
            asyncio.create_task(self._carry(line, reader, node_writer, is_from_node=False)),
            asyncio.create_task(self._carry(line, node_reader, writer, is_from_node=True)),
        }
        self._tasks |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        self.lines.remove(line)
        for way in ways:
            way.cancel()
        self._tasks -= ways
        for one in line.writers:
            one.close()

    async def _carry(
        self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_from_node: bool
    ) -> None:
        cutter = Cutter()
        with suppress(OSError):
            while data := await _read(line, reader):
                passed = bytearray()
                for frame in cutter.feed(data):
                    if not self._goes_on(line, frame, is_from_node=is_from_node):
                        # A stream is never without its middle: whoever wrote this is dead, and so is what followed.
                        await _write(line, writer, bytes(passed))
                        line.manner = Manner.LOSE
                        break
                    passed += frame.data
                else:
                    await _write(line, writer, bytes(passed))

    def _goes_on(self, line: Line, frame: Frame, *, is_from_node: bool) -> bool:
        if not is_from_node:
            line.learn(frame)
        if len(frame.data) == 1:  # a bare newline
            return True
        message = Message(time.time(), line.server, line.since_s, line.kind, is_from_node, frame)
        told = [watcher(message) for watcher in [*self.watchers]]  # every one of them, whatever the others say
        return all(told)


async def _read(line: Line, reader: asyncio.StreamReader) -> bytes:
    """What comes next, b"" at the end. One that is asked for more than it holds would have its transport go on."""
    if line.manner is Manner.SWALLOW:
        await line.over.wait()
        return b""
    return await reader.read(65536)


async def _write(line: Line, writer: asyncio.StreamWriter, data: bytes) -> None:
    match line.manner:
        case Manner.LOSE | Manner.SWALLOW:
            return
        case Manner.SLOW:
            await asyncio.sleep(SLOW_S)
            writer.write(data)
        case Manner.BY_BYTES:
            for byte in data:
                writer.write(bytes([byte]))
                await asyncio.sleep(0)
        case Manner.PASS:
            writer.write(data)
    await writer.drain()
