"""Lines out of the bytes that a process prints, and the way they are shown."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

LONGEST_LINE_BYTES = 65536
_CHUNK_BYTES = 65536


class LineCutter:
    """Cut bytes into lines, in any slicing; a line longer than LONGEST_LINE_BYTES is handed out in pieces."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines now complete, without their ends, as UTF-8 (what is not becomes U+FFFD)."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > LONGEST_LINE_BYTES:
            lines.append(self._rest[:LONGEST_LINE_BYTES])
            self._rest = self._rest[LONGEST_LINE_BYTES:]
        return [line.rstrip(b"\r").decode("utf-8", "replace") for line in lines]

    def rest(self) -> list[str]:
        """The last line, where the stream ended without a line end."""
        line, self._rest = self._rest, b""
        return [line.decode("utf-8", "replace")] if line else []


@dataclass(frozen=True, slots=True)
class PipeReader:
    """The read end of a pipe."""

    stream: asyncio.StreamReader
    transport: asyncio.ReadTransport

    async def lines(self) -> AsyncIterator[str]:
        """Every line until the last writer has closed its end."""
        cutter = LineCutter()
        while data := await self.stream.read(_CHUNK_BYTES):
            for line in cutter.feed(data):
                yield line
        for line in cutter.rest():
            yield line

    def close(self) -> None:
        """Close the read end: writers get SIGPIPE from now on."""
        self.transport.close()


async def open_pipe() -> tuple[PipeReader, int]:
    """A pipe: its read end, and the descriptor of its write end, to be given to a child and closed here."""
    read_end, write_end = os.pipe()
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read_end, "rb", buffering=0)
    )
    return PipeReader(stream, transport), write_end


def print_line(name: str, line: str) -> None:
    """Show a child's line on standard error, with its name before it. Nobody reading is no reason to stop."""
    with contextlib.suppress(OSError, ValueError):
        print(f"{name:11} | {line}", file=sys.stderr, flush=True)
