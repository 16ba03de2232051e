"""Links without a network: the asyncio transport interface between a client in this process and the node.

Bytes arrive in a later turn of the event loop, as they would from a socket; a side that pauses reading lets the other's
writes pile up, and past a limit tells it so. `sever` cuts the line as a dead host would, `freeze` makes it silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from controlplane.emulator.listener import Listener
from controlplane.emulator.node import Node
from controlplane.emulator.rules import LinkRules

_HIGH_WATER_BYTES = 64 * 1024

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


class MemoryTransport(asyncio.Transport):
    """One end of a line."""

    def __init__(self, name: str) -> None:
        super().__init__({"peername": (name, 0), "sockname": (name, 0)})
        self._loop = asyncio.get_running_loop()
        self._protocol: asyncio.Protocol | None = None
        self._other: MemoryTransport | None = None
        self._inbox = bytearray()
        self._is_reading, self._is_closing, self._is_scheduled, self._is_frozen = True, False, False, False
        self._is_told_to_pause = self._has_ended = False
        self._high_water_bytes = _HIGH_WATER_BYTES

    def join(self, other: MemoryTransport, protocol: asyncio.Protocol) -> None:
        """Tie this end to the other, and to the protocol that uses it."""
        self._other, self._protocol = other, protocol
        self._loop.call_soon(protocol.connection_made, self)

    # What asyncio asks of a transport

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol."""
        assert self._protocol is not None
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Change the protocol."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Say whether this end is closed or closing."""
        return self._is_closing

    def is_reading(self) -> bool:
        """Say whether this end takes bytes."""
        return self._is_reading

    def pause_reading(self) -> None:
        """Let bytes wait."""
        self._is_reading = False

    def resume_reading(self) -> None:
        """Take bytes again."""
        self._is_reading = True
        self._schedule()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:  # noqa: ARG002
        """Set how many unread bytes pause the writer."""
        self._high_water_bytes = _HIGH_WATER_BYTES if high is None else high

    def get_write_buffer_size(self) -> int:
        """How many bytes the other side has not read."""
        return 0 if self._other is None else len(self._other._inbox)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Send bytes to the other side."""
        other = self._other
        if self._is_closing or other is None or not data:
            return
        other._inbox += data
        other._schedule()
        if len(other._inbox) > self._high_water_bytes and not self._is_told_to_pause and self._protocol is not None:
            self._is_told_to_pause = True
            self._protocol.pause_writing()

    def can_write_eof(self) -> bool:
        """Half-closing is not offered."""
        return False

    def close(self) -> None:
        """Close both ends when what was written has been read."""
        if self._is_closing:
            return
        self._is_closing = True
        self._loop.call_soon(self._lost, None)
        if self._other is not None and not self._other._is_frozen:
            self._loop.call_soon(self._other._end_of_stream)

    def abort(self) -> None:
        """Close at once."""
        self.close()

    # What tests do to a line

    def sever(self) -> None:
        """Cut the line: both sides see it as lost; what was not read is gone."""
        for end in (self, self._other):
            if end is not None and not end._is_closing:
                end._is_closing = True
                end._inbox.clear()
                end._loop.call_soon(end._lost, ConnectionResetError())

    def freeze(self) -> None:
        """Let nothing through any more, in either direction, and tell nobody."""
        for end in (self, self._other):
            if end is not None:
                end._is_frozen = True

    # Delivery

    def _schedule(self) -> None:
        if not self._is_scheduled and not self._is_frozen:
            self._is_scheduled = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._is_scheduled = False
        if not self._inbox or not self._is_reading or self._is_frozen or self._is_closing or self._protocol is None:
            return
        data = bytes(self._inbox)
        self._inbox.clear()
        other = self._other
        if other is not None and other._is_told_to_pause and other._protocol is not None:
            other._is_told_to_pause = False
            self._loop.call_soon(other._protocol.resume_writing)
        self._protocol.data_received(data)
        if self._has_ended:
            self._loop.call_soon(self._end_of_stream)

    def _end_of_stream(self) -> None:
        self._has_ended = True
        if self._inbox:
            self._schedule()
            return
        if self._protocol is not None and not self._is_closing:
            self._protocol.eof_received()
        self._is_closing = True
        self._loop.call_soon(self._lost, None)

    def _lost(self, error: Exception | None) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connection_lost(error)


class LinkProtocol(asyncio.Protocol):
    """The node's end of a link, over memory or TCP."""

    def __init__(self, node: Node, rules: LinkRules) -> None:
        self._node, self._rules = node, rules
        self._listener: Listener | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        assert isinstance(transport, asyncio.Transport)
        self._listener = Listener(self._node, self._rules, transport.write, transport.close)
        self._listener.begin()

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._listener is not None:
            self._listener.receive(data)

    def pause_writing(self) -> None:
        """The client does not read."""
        if self._listener is not None:
            self._listener.block()

    def resume_writing(self) -> None:
        """The client reads again."""
        if self._listener is not None:
            self._listener.unblock()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The link is gone."""
        if self._listener is not None:
            self._listener.lose()


class MemoryNetwork:
    """Where clients reach the node without a network. `is_down` refuses new links; cut off, they come to nothing."""

    def __init__(self, node: Node, rules: LinkRules | None = None) -> None:
        self._node, self._rules = node, rules or LinkRules()
        self.is_down = self.is_cut_off = False
        self.transports: list[MemoryTransport] = []

    async def connect(self, protocol_factory: Callable[[], ProtocolT]) -> tuple[MemoryTransport, ProtocolT]:
        """Open a link, as `loop.create_connection` would; raises ConnectionRefusedError while the node is down.

        Raises TimeoutError, at once, while it is cut off.
        """
        if self.is_cut_off:
            raise TimeoutError("The node is cut off.")
        if self.is_down or self._node.is_dead:
            raise ConnectionRefusedError("The node is down.")
        client, server = MemoryTransport("client"), MemoryTransport("node")
        protocol = protocol_factory()
        server.join(client, LinkProtocol(self._node, self._rules))
        client.join(server, protocol)
        self.transports = [one for one in self.transports if not one.is_closing()] + [client]
        await asyncio.sleep(0)
        return client, protocol

    def cut_off(self) -> None:
        """Let nothing through any more, and tell nobody."""
        self.is_cut_off = True
        for transport in self.transports:
            transport.freeze()

    def sever_all(self) -> None:
        """Cut every link."""
        for transport in self.transports:
            transport.sever()
