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
    """How much a peer may make us keep.

    Answers to `api` have a limit of their own, as only what was asked for is answered: `show channels` takes 1 to 13 KB
    a channel (switch/listing.py).
    """

    header_bytes: int = 256 * 1024
    body_bytes: int = 4 * 1024 * 1024
    answer_bytes: int = 256 * 1024 * 1024


_FRAME_BLANK = re.compile(rb"\n\n")
_FRAME_LENGTH = re.compile(rb"(?:\A|\n)Content-Length: ([^\n]*)")
_ANSWER = re.compile(rb"(?:\A|\n)Content-Type: api/response(?:\n|\Z)")
_COMMAND_BLANK = re.compile(rb"\n\r?\n")
_COMMAND_LENGTH = re.compile(rb"[\r\n]content-length: *([^\r\n]*)", re.IGNORECASE)


class ClientConnection:
    """Our end: bytes from FreeSWITCH in, frames out."""

    __slots__ = ("_cutter",)

    def __init__(self, limits: Limits = Limits()) -> None:
        self._cutter = _Cutter(limits, _FRAME_BLANK, _FRAME_LENGTH)

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes of the stream, in any slicing, and answer the frames now complete (often none).

        Raises RemoteEslError if a header block passes `limits.header_bytes`, a body `limits.body_bytes` (of an answer
        `limits.answer_bytes`), or Content-Length is no number; the connection is dead after that.
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
    """Cuts a stream into (header block, body) by the rules of one end.

    What came is cut where it lies; only an incomplete rest is held until more comes. While a body is awaited nothing is
    looked at before all of it is there, while a block is awaited only what is new: so a stream in small pieces costs
    no more than its length.
    """

    __slots__ = ("_awaited_bytes", "_blank", "_fault", "_held", "_length", "_limits", "_scanned")

    def __init__(self, limits: Limits, blank: re.Pattern[bytes], length: re.Pattern[bytes]) -> None:
        self._limits, self._blank, self._length = limits, blank, length
        self._held = bytearray()
        self._awaited_bytes = 0  # how much must be held before a frame is complete, where that is known
        self._scanned = 0  # where in what is held a blank line may still begin
        self._fault: RemoteEslError | None = None

    @property
    def is_inside(self) -> bool:
        return bool(self._held) or self._fault is not None

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        if self._fault is not None:
            raise RemoteEslError(self._fault.message, **self._fault.facts)
        if self._held:
            self._held += data
            if self._is_too_early():
                return []
            data = bytes(self._held)
        done: list[tuple[bytes, bytes]] = []
        try:
            rest = self._cut(data, done)
        except RemoteEslError as fault:
            self._fault, self._held = fault, bytearray()
            if not done:
                raise
        else:
            self._held = bytearray(data[rest:])
        return done

    def _is_too_early(self) -> bool:
        if self._awaited_bytes:
            return len(self._held) < self._awaited_bytes
        if len(self._held) > self._limits.header_bytes or self._blank.search(self._held, self._scanned):
            return False
        self._scanned = max(0, len(self._held) - 2)
        return True

    def _cut(self, data: bytes, done: list[tuple[bytes, bytes]]) -> int:
        """Take whole frames off the front; answers where the rest begins."""
        start, size, limit_bytes, find_blank = 0, len(data), self._limits.header_bytes, self._blank.search
        self._awaited_bytes = self._scanned = 0
        while start < size:
            if data[start] in b"\r\n":
                start += 1
                continue
            blank = find_blank(data, start)
            # Two bytes more may stand there: the beginning of a blank line that is still to come.
            end = blank.start() if blank else size - 2
            if end - start > limit_bytes:
                raise RemoteEslError("A header block is too long.", limit_bytes=limit_bytes)
            if blank is None:
                break
            head, body = data[start:end], blank.end()
            stop = body + self._body_bytes(head)
            if stop > size:
                self._awaited_bytes = stop - start
                break
            done.append((head, data[body:stop]))
            start = stop
        return start

    def _body_bytes(self, head: bytes) -> int:
        found = self._length.search(head)
        if found is None:
            return 0
        digits = found[1]
        if not digits.isdigit() or len(digits) > 18:
            raise RemoteEslError("Content-Length is no number.")
        length = int(digits)
        limit_bytes = self._limits.body_bytes
        if length > limit_bytes:
            limit_bytes = self._limits.answer_bytes if _ANSWER.search(head) else limit_bytes
            if length > limit_bytes:
                raise RemoteEslError("A body is too long.", limit_bytes=limit_bytes)
        return length
