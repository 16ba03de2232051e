"""Behaviours of a server from hell: each is what it does with a connection, and how a request to it must end."""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import socket
import struct
import termios
import zlib

from controlplane.hooks.errors import Code
from tests.unit.hooks.servers import Handler, answer, read_request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
LONG_HEAD = HEAD + b"Content-Length: 60000\r\n\r\n"
CHUNKED_HEAD = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(50_000_000))

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter


def says(data: bytes) -> Handler:
    """Read the request, say this, and keep the connection open."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(data)
        await writer.drain()
        await asyncio.Event().wait()

    return handle


def says_and_closes(data: bytes) -> Handler:
    """Read the request, say this, and close."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(data)
        await writer.drain()
        writer.close()

    return handle


def says_and_resets(data: bytes) -> Handler:
    """Read the request, say this, and reset the connection."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(data)
        await writer.drain()
        while on_its_way_bytes(writer):  # a reset would overtake it
            await asyncio.sleep(0)
        reset(writer)

    return handle


def drips(start: bytes, drop: bytes) -> Handler:
    """Say something, and then a little more five times a second for ever."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(start)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.2)

    return handle


def floods(start: bytes, wave: bytes) -> Handler:
    """Say something, and then the same again as fast as it is taken."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(start)
        while True:
            writer.write(wave)
            await writer.drain()
            await asyncio.sleep(0)

    return handle


async def never_reads(reader: Reader, writer: Writer) -> None:
    await asyncio.Event().wait()


async def closes_at_once(reader: Reader, writer: Writer) -> None:
    writer.close()


async def resets_at_once(reader: Reader, writer: Writer) -> None:
    reset(writer)


async def resets_amid_the_request(reader: Reader, writer: Writer) -> None:
    await reader.readexactly(10)
    reset(writer)


async def half_closes(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write_eof()
    await asyncio.Event().wait()


async def half_closes_amid_the_body(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(LONG_HEAD + b"<Resp")
    writer.write_eof()
    await asyncio.Event().wait()


async def answers_before_it_is_asked(reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 408 Too slow\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await asyncio.Event().wait()


async def answers_before_it_is_asked_and_closes(reader: Reader, writer: Writer) -> None:
    writer.write(b"HTTP/1.1 408 Too slow\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def reset(writer: Writer) -> None:
    """Close with RST instead of FIN."""
    peer: socket.socket = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def on_its_way_bytes(writer: Writer) -> int:
    """How much of what was said the other side's kernel has not acknowledged (tcp(7), SIOCOUTQ)."""
    peer: socket.socket = writer.get_extra_info("socket")
    return int.from_bytes(fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4)), "little")


def encoded(encoding: bytes, body: bytes) -> bytes:
    return HEAD + b"Content-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body)) + body


def chunks(*parts: bytes) -> bytes:
    return CHUNKED_HEAD + b"".join(parts)


def redirects_to(location: bytes) -> bytes:
    return b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"


def status(line: bytes) -> bytes:
    return b"HTTP/1.1 " + line + b"\r\nContent-Length: 2\r\n\r\nok"


SLOW: dict[str, tuple[Handler, Code]] = {
    "never reads": (never_reads, Code.CONNECTION_FAILURE),
    "reads and is silent": (says(b""), Code.CONNECTION_FAILURE),
    "silent after the status line": (says(b"HTTP/1.1 200 OK\r\n"), Code.CONNECTION_FAILURE),
    "silent amid the header": (says(HEAD), Code.CONNECTION_FAILURE),
    "silent after the header": (says(LONG_HEAD), Code.CONNECTION_FAILURE),
    "silent amid the body": (says(LONG_HEAD + b"<Response>"), Code.CONNECTION_FAILURE),
    "silent amid a chunk": (says(chunks(b"400\r\n<Resp")), Code.CONNECTION_FAILURE),
    "silent before the last chunk": (says(chunks(b"1\r\n<\r\n")), Code.CONNECTION_FAILURE),
    "drips a header line": (drips(HEAD + b"X: ", b"x"), Code.CONNECTION_FAILURE),
    "drips header fields": (drips(HEAD, b"X:\r\n"), Code.CONNECTION_FAILURE),
    "drips a status line": (drips(b"HTTP/1.1 200 ", b"O"), Code.CONNECTION_FAILURE),
    "drips blank lines": (drips(b"", b"\r\n"), Code.CONNECTION_FAILURE),
    "drips a body": (drips(LONG_HEAD, b"<"), Code.CONNECTION_FAILURE),
    "drips chunks": (drips(CHUNKED_HEAD, b"1\r\n<\r\n"), Code.CONNECTION_FAILURE),
    "drips a chunk extension": (drips(CHUNKED_HEAD + b"1;", b"x"), Code.CONNECTION_FAILURE),
    "drips trailers": (drips(chunks(b"1\r\n<\r\n0\r\n"), b"X:\r\n"), Code.CONNECTION_FAILURE),
    "drips a body without end": (drips(HEAD + b"\r\n", b"<"), Code.CONNECTION_FAILURE),
    "drips 1xx": (drips(b"", b"HTTP/1.1 102 Wait\r\n\r\n"), Code.CONNECTION_FAILURE),
    "silent amid gzip": (says(HEAD + b"Content-Encoding: gzip\r\n\r\n" + BOMB[:15]), Code.CONNECTION_FAILURE),
}

FAST: dict[str, tuple[Handler, Code]] = {
    "says 10 GB will come": (says(HEAD + b"Content-Length: 10000000000\r\n\r\n<"), Code.BODY_TOO_LARGE),
    "says more digits than fit": (says(HEAD + b"Content-Length: " + b"9" * 18 + b"\r\n\r\n<"), Code.BODY_TOO_LARGE),
    "one byte too many": (says(answer(bytes(64 * 1024 + 1))), Code.BODY_TOO_LARGE),
    "one byte too many in chunks": (says(chunks(b"10001\r\n", bytes(65537), b"\r\n0\r\n\r\n")), Code.BODY_TOO_LARGE),
    "floods a body without end": (floods(HEAD + b"\r\n", bytes(65536)), Code.BODY_TOO_LARGE),
    "floods chunks without end": (floods(CHUNKED_HEAD, b"1000\r\n" + bytes(4096) + b"\r\n"), Code.BODY_TOO_LARGE),
    "floods tiny chunks": (floods(CHUNKED_HEAD, b"1\r\n<\r\n" * 1000), Code.BODY_TOO_LARGE),
    "gzip bomb": (says(encoded(b"gzip", BOMB)), Code.BODY_TOO_LARGE),
    "deflate bomb": (says(encoded(b"deflate", zlib.compress(bytes(50_000_000)))), Code.BODY_TOO_LARGE),
    "gzip cut short": (says(encoded(b"gzip", gzip.compress(b"<Response/>")[:-3])), Code.PROTOCOL_VIOLATION),
    "gzip that is none": (says(encoded(b"gzip", b"<Response/>")), Code.PROTOCOL_VIOLATION),
    "gzip and something after": (says(encoded(b"gzip", gzip.compress(b"<") + b"x")), Code.PROTOCOL_VIOLATION),
    "gzip in gzip": (says(encoded(b"gzip, gzip", gzip.compress(gzip.compress(b"<")))), Code.PROTOCOL_VIOLATION),
    "encoding nobody asked for": (says(encoded(b"br", b"\x8b\x00\x80<\x03")), Code.PROTOCOL_VIOLATION),
    "header field too long": (says(HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n"), Code.PROTOCOL_VIOLATION),
    "header line without end": (floods(HEAD + b"X: ", b"x" * 4096), Code.PROTOCOL_VIOLATION),
    "header name without end": (floods(HEAD, b"x" * 4096), Code.PROTOCOL_VIOLATION),
    "header fields without end": (floods(HEAD, b"X: y\r\n" * 100), Code.PROTOCOL_VIOLATION),
    "trailers without end": (floods(chunks(b"1\r\n<\r\n0\r\n"), b"X: y\r\n" * 100), Code.PROTOCOL_VIOLATION),
    "floods a chunk extension": (floods(CHUNKED_HEAD + b"1;", b"x" * 4096), Code.PROTOCOL_VIOLATION),
    "floods 1xx": (floods(b"", b"HTTP/1.1 103 Hints\r\nX: " + b"x" * 4000 + b"\r\n\r\n"), Code.PROTOCOL_VIOLATION),
    "status line too long": (says(b"HTTP/1.1 200 " + b"O" * 100_000 + b"\r\n\r\n"), Code.PROTOCOL_VIOLATION),
    "five hundred cookies": (says(HEAD + b"Set-Cookie: a=b\r\n" * 500 + b"\r\n"), Code.PROTOCOL_VIOLATION),
    "body shorter than its length": (says_and_closes(LONG_HEAD + b"<Response/>"), Code.PROTOCOL_VIOLATION),
    "length is no number": (says(HEAD + b"Content-Length: ten\r\n\r\n"), Code.PROTOCOL_VIOLATION),
    "length is negative": (says(HEAD + b"Content-Length: -1\r\n\r\n"), Code.PROTOCOL_VIOLATION),
    "length overflows": (says(HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n"), Code.PROTOCOL_VIOLATION),
    "two lengths": (says(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n<<"), Code.PROTOCOL_VIOLATION),
    "chunk size is no number": (says(chunks(b"zz\r\n<\r\n0\r\n\r\n")), Code.PROTOCOL_VIOLATION),
    "chunk size overflows": (says(chunks(b"f" * 40 + b"\r\n<")), Code.PROTOCOL_VIOLATION),
    "chunk is longer than its size": (says(chunks(b"1\r\n<<<<\r\n0\r\n\r\n")), Code.PROTOCOL_VIOLATION),
    "closes before the last chunk": (says_and_closes(chunks(b"1\r\n<\r\n")), Code.PROTOCOL_VIOLATION),
    "closes amid a chunk": (says_and_closes(chunks(b"400\r\n<")), Code.PROTOCOL_VIOLATION),
    "speaks no HTTP": (says(b"220 mail.example ESMTP ready\r\n"), Code.PROTOCOL_VIOLATION),
    "speaks HTTP/0.9": (says_and_closes(b"<Response/>"), Code.PROTOCOL_VIOLATION),
    "speaks HTTP/2": (says(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), Code.PROTOCOL_VIOLATION),
    "speaks TLS": (says(b"\x15\x03\x01\x00\x02\x02\x46"), Code.PROTOCOL_VIOLATION),
    "status is letters": (says(status(b"2OO OK")), Code.PROTOCOL_VIOLATION),
    "status has four digits": (says(status(b"2000 OK")), Code.PROTOCOL_VIOLATION),
    "NUL in a header": (says(HEAD + b"X: a\x00b\r\nContent-Length: 1\r\n\r\n<"), Code.PROTOCOL_VIOLATION),
    "bare CR in a header": (says(HEAD + b"X: a\rY: b\r\nContent-Length: 1\r\n\r\n<"), Code.PROTOCOL_VIOLATION),
    "header without a colon": (says(HEAD + b"what\r\nContent-Length: 1\r\n\r\n<"), Code.PROTOCOL_VIOLATION),
    "header name with a blank": (says(HEAD + b"a b: c\r\nContent-Length: 1\r\n\r\n<"), Code.PROTOCOL_VIOLATION),
    "closes at once": (closes_at_once, Code.CONNECTION_FAILURE),
    "resets at once": (resets_at_once, Code.CONNECTION_FAILURE),
    "resets amid the request": (resets_amid_the_request, Code.CONNECTION_FAILURE),
    "resets after the request": (says_and_resets(b""), Code.CONNECTION_FAILURE),
    "resets amid the header": (says_and_resets(HEAD), Code.CONNECTION_FAILURE),
    "resets amid the body": (says_and_resets(LONG_HEAD + b"<Resp"), Code.PROTOCOL_VIOLATION),
    "closes after the request": (says_and_closes(b""), Code.CONNECTION_FAILURE),
    "closes amid the header": (says_and_closes(HEAD), Code.CONNECTION_FAILURE),
    "half closes without an answer": (half_closes, Code.CONNECTION_FAILURE),
    "half closes amid the body": (half_closes_amid_the_body, Code.PROTOCOL_VIOLATION),
    "no body": (says(answer(b"")), Code.BODY_EMPTY),
    "no content": (says(b"HTTP/1.1 204 No Content\r\n\r\n"), Code.BODY_EMPTY),
    "no body in chunks": (says(chunks(b"0\r\n\r\n")), Code.BODY_EMPTY),
    "closes without a body": (says_and_closes(HEAD + b"\r\n"), Code.BODY_EMPTY),
    "empty gzip": (says(encoded(b"gzip", gzip.compress(b""))), Code.BODY_EMPTY),
    "not modified": (says(b"HTTP/1.1 304 Not Modified\r\n\r\n"), Code.HTTP_FAILURE),
    "multiple choices": (says(status(b"300 Multiple Choices")), Code.HTTP_FAILURE),
    "switches protocols": (says(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nboo"), Code.HTTP_FAILURE),
    "not found, endless": (floods(b"HTTP/1.1 404 Not Found\r\n\r\n", bytes(65536)), Code.HTTP_FAILURE),
    "server error": (says(status(b"500 Oops")), Code.HTTP_FAILURE),
    "status of 600": (says(status(b"600 What")), Code.HTTP_FAILURE),
    "redirects to itself": (floods(b"", redirects_to(b"/voice")), Code.REDIRECTS),
    "redirects nowhere": (says(status(b"302 Found")), Code.PROTOCOL_VIOLATION),
    "redirects to a blank": (says(redirects_to(b"/a b")), Code.PROTOCOL_VIOLATION),
    "redirects with a bare CR": (says(redirects_to(b"/a\rSet-Cookie: x=y")), Code.PROTOCOL_VIOLATION),
    "redirects with a backslash": (says(redirects_to(b"/\\example.com")), Code.PROTOCOL_VIOLATION),
    "redirects in Latin-1": (says(redirects_to(b"/caf\xe9")), Code.PROTOCOL_VIOLATION),
    "redirects to brackets": (says(redirects_to(b"http://[x")), Code.PROTOCOL_VIOLATION),
    "redirects to a file": (says(redirects_to(b"file:///etc/passwd")), Code.URL_NOT_VALID),
    "redirects to metadata": (says(redirects_to(b"http://169.254.169.254/")), Code.BAD_HOST),
    "redirects to a number": (says(redirects_to(b"//2130706433/")), Code.BAD_HOST),
    "redirects to an underscore": (says(redirects_to(b"http://a_b.example/")), Code.BAD_HOST),
}
