"""SIP messages as text (RFC 3261 §7): enough of the grammar for peers that write plainly, as FreeSWITCH does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import unquote

Headers: TypeAlias = tuple[tuple[str, str], ...]

_COMPACT = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
    "c": "content-type",
}
_URI = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"\s*|[^<"]*)<([^>]+)>|([^;\s]+)')
_TAG = re.compile(r";\s*tag=([^;\s]+)")
_BRANCH = re.compile(r";\s*branch=([^;,\s]+)")
_CAUSE = re.compile(r'Q\.850\s*;\s*cause=(\d+)(?:\s*;\s*text="([^"]*)")?')


@dataclass(frozen=True, slots=True)
class Request:
    """A request; header values as they were written, in order."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """A response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""


Message: TypeAlias = Request | Response


class NotSip(Exception):
    """A datagram that is no SIP message (a keep-alive of two line ends, for one)."""


def parse(datagram: bytes) -> Message:
    """Read one datagram; raises NotSip."""
    head, _, body = datagram.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    words = first.split(" ", 2)
    if len(words) == 3 and words[0] == "SIP/2.0" and words[1].isdecimal():
        return Response(int(words[1]), words[2], headers, body)
    if len(words) == 3 and words[2] == "SIP/2.0":
        return Request(words[0], words[1], headers, body)
    raise NotSip


def write(message: Message) -> bytes:
    """The datagram of a message; Content-Length is added."""
    match message:
        case Request(method, uri):
            first = f"{method} {uri} SIP/2.0"
        case Response(status, reason):
            first = f"SIP/2.0 {status} {reason}"
    lines = [first, *(f"{name}: {value}" for name, value in message.headers), f"Content-Length: {len(message.body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + message.body


def every(message: Message, name: str) -> list[str]:
    """All values of a header."""
    wanted = name.lower()
    return [value for one, value in message.headers if _COMPACT.get(one.lower(), one.lower()) == wanted]


def header(message: Message, name: str) -> str:
    """The first value of a header, "" where it is missing."""
    return next(iter(every(message, name)), "")


def method_of(message: Message) -> str:
    """The method of a request, or of the request that a response answers."""
    return message.method if isinstance(message, Request) else header(message, "CSeq").partition(" ")[2].strip()


def uri_in(value: str) -> str:
    """The URI of a From, To, Contact or Route."""
    found = _URI.match(value)
    return (found[1] or found[2]) if found else ""


def user_in(uri: str) -> str:
    """The user part of a URI, unescaped and without parameters of its own."""
    user, at, _ = uri.partition(":")[2].partition("@")
    return unquote(user.partition(";")[0]) if at else ""


def tag_in(value: str) -> str:
    """The tag of a From or To, "" where there is none."""
    found = _TAG.search(value.rpartition(">")[2] or value)
    return found[1] if found else ""


def branch_of(message: Message) -> str:
    """The branch of the topmost Via."""
    found = _BRANCH.search(header(message, "Via"))
    return found[1] if found else ""


def cause_in(message: Message) -> str:
    """The clearing cause that a Reason header names (RFC 3326), "" where it names none."""
    for value in every(message, "Reason"):
        found = _CAUSE.search(value)
        if found:
            return found[2] or found[1]
    return ""
