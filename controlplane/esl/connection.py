"""The two ends of an event socket, without the socket.

Both ends of the protocol cut the stream into header blocks, each ended by a blank line and followed by as many bytes of
body as its Content-Length says. `ClientConnection` is our end and reads what FreeSWITCH writes; `SwitchConnection` is
FreeSWITCH's end and reads commands as mod_event_socket does (mod_event_socket.c, read_packet).

A stream is cut the same way however it was sliced. So that this holds for a broken stream too, frames that came before
the fault are handed out first: `feed` raises at its next call, and from then on always.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import CommandFrame, Frame, Headers, read_command


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a peer may make us keep. The largest answer we ask for, `show channels`, takes about 1 KB a channel."""

    header_bytes: int = 256 * 1024
    body_bytes: int = 4 * 1024 * 1024


_FRAME_BLANK = re.compile(rb"\n\n")
_FRAME_LENGTH = re.compile(rb"(?:\A|\n)Content-Length: ([^\n]*)")
_COMMAND_BLANK = re.compile(rb"\n\r?\n")
_COMMAND_LENGTH = re.compile(rb"[\r\n]content-length: *([^\r\n]*)", re.IGNORECASE)
_NUMBER = re.compile(rb"[0-9]{1,18}\Z")


class ClientConnection:
    """Our end: bytes from FreeSWITCH in, frames out."""

    __slots__ = ("_cutter",)

    def __init__(self, limits: Limits = Limits()) -> None:
        self._cutter = _Cutter(limits, _FRAME_BLANK, _FRAME_LENGTH)

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes of the stream, in any slicing, and answer the frames now complete (often none).

        Raises RemoteEslError if a header block passes `limits.header_bytes`, a body `limits.body_bytes`, or
        Content-Length is no number; the connection is dead after that.
        """
        return [
            Frame(Headers(head, is_encoded=head.startswith(b"Event-Name: ")), body)
            for head, body in self._cutter.feed(data)
        ]

    def eof(self) -> bool:
        """Say whether the stream ended inside a frame (or was broken)."""
        return self._cutter.is_inside


class SwitchConnection:
    """FreeSWITCH's end: bytes from a client in, commands out."""

    __slots__ = ("_cutter",)

    def __init__(self, limits: Limits = Limits()) -> None:
        self._cutter = _Cutter(limits, _COMMAND_BLANK, _COMMAND_LENGTH)

    def feed(self, data: bytes) -> list[CommandFrame]:
        """Take the next bytes of the stream, in any slicing, and answer the commands now complete.

        Bare newlines between commands are no commands: clients send them to wake FreeSWITCH. Raises RemoteEslError as
        ClientConnection does; FreeSWITCH itself takes a Content-Length that is no number for 0.
        """
        return [read_command(head, body) for head, body in self._cutter.feed(data)]

    def eof(self) -> bool:
        """Say whether the stream ended inside a command (or was broken)."""
        return self._cutter.is_inside


class _Cutter:
    """Cuts a stream into (header block, body) by the rules of one end."""

    __slots__ = ("_blank", "_buffer", "_fault", "_head", "_length", "_limits", "_scanned", "_wanted_bytes")

    def __init__(self, limits: Limits, blank: re.Pattern[bytes], length: re.Pattern[bytes]) -> None:
        self._limits, self._blank, self._length = limits, blank, length
        self._buffer = bytearray()
        self._head: bytes | None = None  # a block whose body is awaited
        self._wanted_bytes = 0
        self._scanned = 0  # where in the buffer a blank line may still begin
        self._fault: RemoteEslError | None = None

    @property
    def is_inside(self) -> bool:
        return bool(self._buffer) or self._head is not None or self._fault is not None

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        if self._fault is not None:
            raise RemoteEslError(self._fault.message, **self._fault.facts)
        self._buffer += data
        done: list[tuple[bytes, bytes]] = []
        try:
            while (pair := self._maybe_next()) is not None:
                done.append(pair)
        except RemoteEslError as fault:
            self._fault = fault
            self._buffer.clear()
            if not done:
                raise
        return done

    def _maybe_next(self) -> tuple[bytes, bytes] | None:
        if self._head is None:
            self._head = self._maybe_head()
        if self._head is None or len(self._buffer) < self._wanted_bytes:
            return None
        head, self._head = self._head, None
        return head, self._take(self._wanted_bytes)

    def _maybe_head(self) -> bytes | None:
        buffer = self._buffer
        while buffer and buffer[0] in b"\r\n":
            del buffer[:1]
        blank = self._blank.search(buffer, self._scanned)
        # Two bytes more may stand there: the beginning of a blank line that is still to come.
        if (blank.start() if blank else len(buffer) - 2) > self._limits.header_bytes:
            raise RemoteEslError("A header block is too long.", limit_bytes=self._limits.header_bytes)
        if blank is None:
            self._scanned = max(0, len(buffer) - 2)
            return None
        self._scanned = 0
        head = self._take(blank.start())
        del buffer[: blank.end() - blank.start()]
        self._wanted_bytes = self._body_bytes(head)
        return head

    def _take(self, size_bytes: int) -> bytes:
        taken = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        return taken

    def _body_bytes(self, head: bytes) -> int:
        length = self._length.search(head)
        if length is None:
            return 0
        if not _NUMBER.match(length[1]):
            raise RemoteEslError("Content-Length is no number.")
        if int(length[1]) > self._limits.body_bytes:
            raise RemoteEslError("A body is too long.", limit_bytes=self._limits.body_bytes)
        return int(length[1])
