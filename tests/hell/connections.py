"""What can be wrong with a connection as such: with one that is kept above all."""

from __future__ import annotations

import asyncio

from controlplane.hooks.errors import Code
from tests.unit.hooks.hell import HEAD, Reader, Writer, reset, says, says_and_closes, says_and_resets
from tests.unit.hooks.servers import Handler, answer, read_request

OWN = answer()
FORGED = answer(b"<Response><Say>forged</Say></Response>")
BYTE_S = 0.01


def says_when_idle(more: bytes) -> Handler:
    """Answer well, and once the connection is idle say something that nobody asked for."""

    async def handle(reader: Reader, writer: Writer) -> None:
        while await read_request(reader) is not None:
            writer.write(OWN)
            await writer.drain()
            await asyncio.sleep(BYTE_S)
            writer.write(more)

    return handle


async def says_twice(reader: Reader, writer: Writer) -> None:
    while await read_request(reader) is not None:
        writer.write(OWN + FORGED)


async def closes_when_idle(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(OWN)
    await writer.drain()
    await asyncio.sleep(BYTE_S)


async def closes_at_the_second_request(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(OWN)
    await reader.read(1)


async def resets_at_the_second_request(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(OWN)
    await reader.read(1)
    reset(writer)


async def a_byte_at_a_time(reader: Reader, writer: Writer) -> None:
    while await read_request(reader) is not None:
        for byte in OWN:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)


async def reads_a_byte_a_second(reader: Reader, writer: Writer) -> None:
    while await reader.read(1):
        await asyncio.sleep(1)


async def says_continue_and_waits(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await asyncio.Event().wait()


async def half_closes_and_drips(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(HEAD + b"Content-Length: 9\r\n\r\n<")
    writer.write_eof()
    await asyncio.Event().wait()


KEPT: dict[str, Handler] = {
    "says another answer when idle": says_when_idle(FORGED),
    "says half an answer when idle": says_when_idle(FORGED[:40]),
    "says garbage when idle": says_when_idle(b"\x16\x03\x01garbage"),
    "says blank lines when idle": says_when_idle(b"\r\n\r\n"),
    "says two answers to one question": says_twice,
    "closes when idle": closes_when_idle,
    "closes at the second request": closes_at_the_second_request,
    "resets at the second request": resets_at_the_second_request,
    "says a byte at a time": a_byte_at_a_time,
}
TABLE: dict[str, tuple[Handler, int | tuple[int | None, ...] | None]] = {
    "says to close and does not": (says(answer(connection="close")), None),
    "keeps for no time": (says(answer(connection="keep-alive", keep_alive="timeout=0, max=0")), None),
    "speaks HTTP/1.0": (says_and_closes(b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n<Response/>"), None),
    "a length and chunks": (
        says(HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n<\r\n0\r\n\r\n"),
        (Code.PROTOCOL_VIOLATION, None),
    ),
    "chunked twice": (
        says(HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n1\r\n<\r\n0\r\n\r\n"),
        (Code.PROTOCOL_VIOLATION, None),
    ),
    "transfer encoding nobody knows": (
        says_and_closes(HEAD + b"Transfer-Encoding: zip\r\n\r\n<Response/>"),
        (Code.PROTOCOL_VIOLATION, None),
    ),
    "one length twice": (
        says(HEAD + b"Content-Length: 11\r\nContent-Length: 11\r\n\r\n<Response/>"),
        (Code.PROTOCOL_VIOLATION, None),
    ),
    "length with a sign": (says(HEAD + b"Content-Length: +11\r\n\r\n<Response/>"), Code.PROTOCOL_VIOLATION),
    "header folded": (
        says(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX: a\r\n b: c\r\n\r\n<Response/>"),
        (Code.PROTOCOL_VIOLATION, None),
    ),
    "header with bare LF": (
        says(b"HTTP/1.1 200 OK\nContent-Length: 11\n\n<Response/>"),
        (Code.PROTOCOL_VIOLATION, None),
    ),
    "body after 204": (
        says(b"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"),
        (Code.BODY_EMPTY, Code.PROTOCOL_VIOLATION),
    ),
    "resets after the answer": (says_and_resets(OWN), (None, Code.PROTOCOL_VIOLATION, Code.CONNECTION_FAILURE)),
    "half closes amid a short body": (half_closes_and_drips, Code.PROTOCOL_VIOLATION),
}
SLOW: dict[str, tuple[Handler, int | None]] = {
    "reads a byte a second": (reads_a_byte_a_second, Code.CONNECTION_FAILURE),
    "says continue and waits": (says_continue_and_waits, Code.CONNECTION_FAILURE),
}
