"""An event socket's stream cut into the pieces it was written in, none of its bytes lost or changed.

The engine's own codec is not used: what stands between the engine and its node should not share its mistakes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

_LENGTH = re.compile(rb"(?:\A|\n)content-length: *(\d+)", re.IGNORECASE)
_BLANK = re.compile(rb"\n\r?\n")


@dataclass(frozen=True, slots=True)
class Frame:
    """A header block with its blank line and its body, or a bare newline between two of them."""

    data: bytes

    @property
    def line(self) -> str:
        """The first line: of a command, what is asked."""
        return self.data.partition(b"\n")[0].decode("utf-8", "replace")

    def header(self, name: str) -> str:
        """The first value of a header, in the frame's own or in the event that is its body; "" for none."""
        found = re.search(rb"(?:\A|\n)" + re.escape(name.encode()) + rb": ([^\n]*)", self.data)
        return unquote(found[1].decode("utf-8", "replace")) if found else ""

    def tells(self, text: str) -> bool:
        """Say whether a text stands in it anywhere."""
        return text.encode() in self.data


@dataclass(slots=True)
class Cutter:
    """Takes a stream in any slicing."""

    _held: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Frame]:
        """The pieces that are whole now, in order."""
        self._held += data
        frames: list[Frame] = []
        while self._held:
            size = self._whole_bytes()
            if size == 0:
                break
            frames.append(Frame(bytes(self._held[:size])))
            del self._held[:size]
        return frames

    def _whole_bytes(self) -> int:
        """How many bytes the first piece has, 0 while it is not whole."""
        if self._held[0] in b"\r\n":
            return 1
        blank = _BLANK.search(self._held)
        if blank is None:
            return 0
        length = _LENGTH.search(self._held, 0, blank.start())
        size = blank.end() + (int(length[1]) if length else 0)
        return size if size <= len(self._held) else 0
