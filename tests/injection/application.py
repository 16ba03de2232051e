"""A tenant's application that answers anything, byte by byte, and looks closely at what it is asked.

Whatever a value held, a request has the headers and parameters that requests have, and no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl

from tests.injection.canaries import Canaries

XML = "text/xml; charset=utf-8"
_WORDS = (
    "host user-agent accept accept-encoding connection content-type content-length cookie x-twilio-signature"
    " i-twilio-idempotency-token x-home-region if-none-match if-modified-since cache-control x-teler-signature"
    " x-teler-timestamp x-teler-event-id x-teler-api-version x-teler-source authorization"
)
_HEADERS = frozenset(_WORDS.split())
_PARAMETER = re.compile(r"[A-Z][A-Za-z]{1,40}\Z|SipHeader_X-[!-~]{0,256}\Z")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `path` without its query, `parameters` of both query and form, the form's last."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, header values as they are. `closes` ends the connection after it."""

    body: bytes = b""
    content_type: str = XML
    status: int = 200
    reason: str = "OK"
    headers: tuple[tuple[str, str], ...] = ()
    closes: bool = False

    def data(self) -> bytes:
        """The answer on the wire."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}", f"Content-Length: {len(self.body)}"]
        lines += [f"Content-Type: {self.content_type}"] if self.content_type else []
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += ["Connection: close"] if self.closes else []
        return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + self.body


@asynccontextmanager
async def serving(canaries: Canaries, answer: Callable[[Asked], Answer]) -> AsyncIterator[str]:
    """Serve while the block runs; answers the address, without a slash at the end."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                asked = _asked(canaries, *await _request(reader))
                answered = answer(asked)
                writer.write(answered.data())
                await writer.drain()
                if answered.closes:
                    break
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _request(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head, await reader.readexactly(int(length[1])) if length else b""


def _asked(canaries: Canaries, head: bytes, body: bytes) -> Asked:
    first, *lines = head.decode("utf-8", "replace").rstrip("\r\n").split("\r\n")
    pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    headers = dict(pairs)
    words = first.split(" ")
    if (
        len(words) != 3
        or not words[2].startswith("HTTP/1.")
        or _CONTROLS.search(head[:-4].decode().replace("\r\n", ""))
    ):
        canaries.sing(f"a request that is none: {head[:200]!r}")
    for name in set(headers) - _HEADERS:
        canaries.sing(f"a request with a header that nobody set: {name}: {headers[name][:80]}")
    if len(headers) != len(pairs):
        canaries.sing(f"a request with a header twice: {pairs}")
    path, _, query = (words[1] if len(words) > 1 else "/").partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    if headers.get("content-type", "").startswith(_FORM):
        form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        _verify(canaries, form)
        parameters |= dict(form)
    elif headers.get("content-type", "").startswith("application/json"):
        _verify_event(canaries, body)
    return Asked(words[0], path, parameters, headers, body)


def _verify(canaries: Canaries, form: list[tuple[str, str]]) -> None:
    """Names are ours; values are text of one line."""
    names = [name for name, _ in form]
    if len(set(names)) != len(names):
        canaries.sing(f"a parameter twice: {names}")
    for name, value in form:
        if not _PARAMETER.match(name):
            canaries.sing(f"a parameter that nobody has: {name[:80]}")
        if _CONTROLS.search(value):
            canaries.sing(f"a parameter with control characters: {name}={value[:80]!r}")


def _verify_event(canaries: Canaries, body: bytes) -> None:
    """An event is one JSON object, of which no value holds a control character."""
    try:
        event = json.loads(body)
    except ValueError:
        event = None
    if not isinstance(event, dict):
        canaries.sing(f"an event that is no JSON object: {body[:200]!r}")
    elif odd := [text for text in _texts(event) if _CONTROLS.search(text)]:
        canaries.sing(f"an event with control characters: {odd[0][:200]!r}")


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield str(name)
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
