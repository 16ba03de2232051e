"""What comes over an event socket, read as late as possible.

An event has 2 to 12 KB and some 150 headers, of which a call server reads a handful; so frames keep the bytes and
`Headers.get` scans for the one name it is asked for. Three rules keep a caller's text from forging anything:

- the block is split into lines first and a value is decoded after, so that `%0A` in a caller's name stays in the value;
- the first header of a name wins, as FreeSWITCH writes its own headers before the channel's variables;
- headers end at the first blank line, so that nothing in an event's inner body is ever taken for one.

Bytes that are not UTF-8 become U+FFFD: a value can always be encoded again, but is not always what was on the wire.
What FreeSWITCH could not write exactly is not exact here: in its plain format a literal `%41` of a caller reads as `A`.
"""

from __future__ import annotations

import json
from binascii import a2b_qp
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from controlplane.esl.errors import RemoteEslError

_NEW_LINE = ord("\n")


class Headers(NamedTuple):
    """A header block as it stood on the wire, with or without the blank line that ends it.

    `is_encoded` says that values are percent-encoded, which FreeSWITCH does in event bodies and in the reply to
    `connect`, nowhere else. Names are compared as FreeSWITCH writes them, letter by letter. (This and what holds it are
    named tuples and not dataclasses because an event needs four of them, and a tuple is made twice as fast.)
    """

    raw: bytes
    is_encoded: bool = False

    def get(self, name: str) -> str | None:
        """The first value of this header, or None. An empty value is "", in events too."""
        raw, is_encoded = self
        first, later = _needles(name)
        start = len(first)
        if not raw.startswith(first):
            place = raw.find(later)
            if place < 0:
                return None
            start += place + 1
        end = raw.find(b"\n", start)
        value = raw[start:end] if end >= 0 else raw[start:]
        try:
            text = value.decode()
        except UnicodeDecodeError:
            return _text(value) if is_encoded else _bare_text(value)
        return _text(value) if is_encoded and ("%" in text or text == "_undef_") else text

    def beginning(self, prefix: str) -> list[tuple[str, str]]:
        """The headers whose names begin so, in their order, as `items` has them."""
        raw, is_encoded = self
        wanted, place = prefix.encode(), 0
        lines = []
        while (place := raw.find(wanted, place)) >= 0:
            end = raw.find(b"\n", place)
            end = len(raw) if end < 0 else end
            if place == 0 or raw[place - 1] == _NEW_LINE:
                lines.append(raw[place:end])
            place = end
        return list(Headers(b"\n".join(lines), is_encoded).items()) if lines else []

    def items(self) -> Iterable[tuple[str, str]]:
        """All headers in their order, repeated names too; lines that are none are passed over."""
        raw, is_encoded = self
        if is_encoded and raw.isascii():
            lines = map(str.partition, raw.decode("ascii").split("\n"), repeat(": "))
            return [
                (name, value if "%" not in value and value != "_undef_" else _text_again(value))
                for name, colon, value in lines
                if colon
            ]
        text = _text if is_encoded else _bare_text
        pairs = (line.partition(b": ") for line in raw.split(b"\n"))
        return [(_bare_text(name), text(value)) for name, colon, value in pairs if colon]


@lru_cache(maxsize=1024)
def _needles(name: str) -> tuple[bytes, bytes]:
    """How a header begins at the very start of a block, and further down."""
    return f"{name}: ".encode(), f"\n{name}: ".encode()


def _bare_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _text(value: bytes) -> str:
    """A value of an event as text."""
    if b"%" in value:
        return _bare_text(unquoted(value))
    return "" if value == b"_undef_" else _bare_text(value)  # how the plain format writes nothing (switch_event.c:1609)


def _text_again(value: str) -> str:
    """The same for a value that may have been seen before: the events of a channel repeat most of theirs."""
    return _short_text(value) if len(value) <= 200 else _text(value.encode())


@lru_cache(maxsize=4096)
def _short_text(value: str) -> str:
    return _text(value.encode())


def unquoted(value: bytes) -> bytes:
    """Decode %XX; a `%` that begins none stays.

    Quoted-printable is the same with another sign, and its decoder is written in C: four times as fast. A `%` that
    begins nothing shows in the length of the result; it and what else means something there go the slow way.
    """
    if b"=" not in value and b"\r" not in value and b"\n" not in value:
        decoded = a2b_qp(value.replace(b"%", b"="))
        if len(decoded) == len(value) - 2 * value.count(b"%"):
            return decoded
    return unquote_to_bytes(value)


@dataclass(frozen=True, slots=True)
class ExactHeaders:
    """The headers of an event in JSON, where FreeSWITCH writes every value exactly."""

    values: dict[str, str]

    def beginning(self, prefix: str) -> list[tuple[str, str]]:
        """The headers whose names begin so, in their order."""
        return [(name, value) for name, value in self.values.items() if name.startswith(prefix)]

    def get(self, name: str) -> str | None:
        """The value of this header, or None."""
        return self.values.get(name)

    def items(self) -> Iterable[tuple[str, str]]:
        """All headers in their order."""
        return self.values.items()


class EslEvent(NamedTuple):
    """One FreeSWITCH event. `body` is its inner body ("" for most; a BACKGROUND_JOB's is the command's answer)."""

    headers: Headers | ExactHeaders
    body: str = ""

    @property
    def name(self) -> str:
        """Such as CHANNEL_PARK; "" where the event has none."""
        return self.headers.get("Event-Name") or ""

    def get(self, header: str) -> str | None:
        """The value of a header, or None."""
        return self.headers.get(header)

    def variable(self, name: str) -> str | None:
        """The value of a channel variable at the time of the event, or None."""
        return self.headers.get(f"variable_{name}")


class Frame(NamedTuple):
    """One frame from FreeSWITCH: a header block and, where Content-Length says so, a body."""

    headers: Headers
    body: bytes = b""

    @property
    def content_type(self) -> str:
        """auth/request, command/reply, api/response, text/event-plain, text/disconnect-notice…; "" if there is none."""
        return self.headers.get("Content-Type") or ""

    @property
    def reply_text(self) -> str:
        """What a command/reply says, such as "+OK accepted"; "" in other frames."""
        return self.headers.get("Reply-Text") or ""

    @property
    def text(self) -> str:
        """The body as text: what an api/response says."""
        return self.body.decode("utf-8", "replace")

    def event(self) -> EslEvent:
        """The event that a text/event-plain or text/event-json frame carries, or that answers `connect`.

        Raises RemoteEslError for other frames and for a body that is no JSON object.
        """
        headers, body = self
        if headers.raw.endswith(b"\nContent-Type: text/event-plain"):  # as FreeSWITCH ends the block; the usual case
            return _plain_event(body)
        if headers.is_encoded:
            return EslEvent(headers)
        match self.content_type:
            case "text/event-plain":
                return _plain_event(body)
            case "text/event-json":
                return _json_event(body)
        raise RemoteEslError("The frame carries no event.", content_type=self.content_type)


def _plain_event(body: bytes) -> EslEvent:
    # An event with an inner body always has Content-Length as its last header (switch_event.c:1643); to look for that
    # from the end is much faster than to look for the blank line.
    if body.startswith(b"Event-Name: ") and body.endswith(b"\n\n") and body.rfind(b"\nContent-Length: ") < 0:
        return EslEvent(Headers(body, True))
    head, _, inner = body.partition(b"\n\n")
    return EslEvent(Headers(head, is_encoded=True), inner.decode("utf-8", "replace"))


def _json_event(body: bytes) -> EslEvent:
    try:
        values = json.loads(body, strict=False, object_pairs_hook=_first_wins)
    except (ValueError, RecursionError) as error:
        raise RemoteEslError("An event is no JSON.") from error
    if not isinstance(values, dict):
        raise RemoteEslError("An event is no JSON object.")
    inner = values.pop("_body", "")
    return EslEvent(ExactHeaders(values), inner)


def _first_wins(pairs: list[tuple[str, object]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values.setdefault(_encodable(name), _one_text(value))
    return values


def _one_text(value: object) -> str:
    """A value as text; one that has several, which JSON writes as a list, as the plain format writes it."""
    if isinstance(value, list):
        return "ARRAY::" + "|:".join(_one_text(item) for item in value)
    return _encodable(value) if isinstance(value, str) else str(value)


def _encodable(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@dataclass(frozen=True, slots=True)
class CommandFrame:
    """One command as FreeSWITCH gets it: its line ("api status", "sendmsg <uuid>"), headers, counted body."""

    line: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""

    def get(self, name: str) -> str | None:
        """The first value of this header, or None; as in FreeSWITCH the case of the name does not matter."""
        wanted = name.lower()
        return next((value for header, value in self.headers if header.lower() == wanted), None)


def read_command(head: bytes, body: bytes) -> CommandFrame:
    """Read a command's block as mod_event_socket does (read_packet): lines without a colon are nothing, only blanks
    are stripped before a value, a body ends at a NUL.
    """
    lines = head.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    split = (line.partition(":") for line in lines[1:])
    headers = tuple((name, value.lstrip(" ")) for name, colon, value in split if colon)
    return CommandFrame(lines[0], headers, body.partition(b"\0")[0].decode("utf-8", "replace"))
