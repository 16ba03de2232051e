"""The event socket of the switchboard, as one call server has it: commands are read just far enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from bench.peers.switchboard import Switchboard


class LinkOfServer(asyncio.Protocol):
    """One connection of a call server. `watched` are the shards it sees events of, as hexadecimal digits."""

    def __init__(self, board: Switchboard) -> None:
        self._board, self._buffer = board, b""
        self.watched = ""
        self._is_subscribed = False
        self._filters: dict[str, str] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self.write(b"Content-Type: auth/request\n\n")

    def connection_lost(self, _: Exception | None) -> None:
        self._board.leave(self)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._buffer = (self._buffer + data).lstrip(b"\n")
        while (end := self._buffer.find(b"\n\n")) >= 0:
            head, rest = self._buffer[:end], self._buffer[end + 2 :]
            _, _, length = head.partition(b"\ncontent-length: ")
            size = int(length.partition(b"\n")[0]) if length else 0
            if len(rest) < size:
                return
            self._buffer = rest[size:].lstrip(b"\n")
            self._obey(head.decode())

    def _obey(self, head: str) -> None:
        verb, _, rest = head.partition("\n")[0].partition(" ")
        match verb:
            case "api":
                answer = self._board.api(rest, self).encode()
                self.write(b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(answer), answer))
            case "sendmsg":
                self._execute(rest, head)
            case _:
                self._set(verb, rest)
                self.write(b"Content-Type: command/reply\nReply-Text: +OK accepted\n\n")

    def _execute(self, uuid: str, head: str) -> None:
        call = self._board.calls.get(uuid)
        if call is None:
            self.write(b"Content-Type: command/reply\nReply-Text: -ERR invalid session id [x]\n\n")
            return
        self._board.commanded(call, self)
        self.write(b"Content-Type: command/reply\nReply-Text: +OK\n\n")
        if _header(head, "call-command") == "hangup":
            asyncio.get_running_loop().call_soon(self._board.end, call)
        else:
            self._board.execute(call, _header(head, "execute-app-name"), _header(head, "Event-UUID"))

    def _set(self, verb: str, rest: str) -> None:
        """Take `filter Unique-ID /[0-9a-f]$/`, its deletion, and `event`."""
        if verb == "filter" and "Unique-ID /[" in rest:
            pattern = rest.partition("[")[2].partition("]")[0]
            if rest.startswith("delete"):
                self._filters.pop(pattern, None)
            else:
                self._filters[pattern] = pattern
        elif verb == "event" and "CHANNEL_PARK" in rest:
            self._is_subscribed = True
        elif verb == "noevents":
            self._is_subscribed = False
        self.watched = "".join(self._filters) if self._is_subscribed else ""
        self._board.links.add(self)


def _header(head: str, name: str) -> str:
    return head.partition(f"\n{name}: ")[2].partition("\n")[0]
