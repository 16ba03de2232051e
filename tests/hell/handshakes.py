"""What can be wrong with TLS. The server's certificates are made by certificates.py of tests/unit/hooks."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping

from controlplane.hooks.errors import Code
from tests.unit.hooks.certificates import Authority
from tests.unit.hooks.hell import (
    LONG_HEAD,
    Reader,
    Writer,
    closes_at_once,
    drips,
    floods,
    never_reads,
    reset,
    resets_amid_the_request,
    says,
)
from tests.unit.hooks.servers import Handler, answer, read_request

HOST = "secure.test"
BARE = "bare"  # no TLS of ours: the handler speaks for itself
_RECORD = b"\x16\x03\x03\x40\x00"  # a handshake record of 16 KiB begins


async def drips_a_handshake(reader: Reader, writer: Writer) -> None:
    await reader.read(1)
    writer.write(_RECORD)
    while True:
        writer.write(b"\x02")
        await writer.drain()
        await asyncio.sleep(0.05)


async def floods_the_handshake(reader: Reader, writer: Writer) -> None:
    await reader.read(1)
    while True:
        writer.write(b"\x16\x03\x03\x40\x00" + bytes(0x4000))
        await writer.drain()


async def closes_amid_the_handshake(reader: Reader, writer: Writer) -> None:
    await reader.read(1)
    writer.write(_RECORD + bytes(100))


async def speaks_http(reader: Reader, writer: Writer) -> None:
    writer.write(answer())
    await reader.read()


async def alerts(reader: Reader, writer: Writer) -> None:
    await reader.read(100)
    writer.write(b"\x15\x03\x03\x00\x02\x02\x50")  # fatal, internal_error
    await reader.read()


def ends_without_notice(said: bytes) -> Handler:
    """Say something over TLS, and go away without close_notify."""

    async def handle(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(said)
        await writer.drain()
        await asyncio.sleep(0.01)
        reset(writer)

    return handle


def contexts_of(authority: Authority) -> Mapping[str, ssl.SSLContext]:
    """The certificates that behaviours name."""
    wants_one = authority.server(HOST)
    wants_one.load_verify_locations(authority.pem)
    wants_one.verify_mode = ssl.CERT_REQUIRED
    http2 = authority.server(HOST)
    http2.set_alpn_protocols(["h2"])
    return {
        "good": authority.server(HOST),
        "expired": authority.server(HOST, days=-1),
        "another's": authority.server("other.test"),
        "self-signed": authority.server(HOST, signs_itself=True),
        "wants a certificate": wants_one,
        "http2": http2,
    }


_CLOSED = (Code.TLS_HANDSHAKE, Code.CONNECTION_FAILURE)
_BROKEN = (Code.PROTOCOL_VIOLATION, Code.CONNECTION_FAILURE)
_TOO_MUCH = (Code.BODY_TOO_LARGE, Code.PROTOCOL_VIOLATION)
Row = tuple[Handler, int | tuple[int | None, ...] | None, str, bool]
TABLE: dict[str, Row] = {
    "certificate expired": (says(answer()), Code.CERTIFICATE_EXPIRED, "expired", False),
    "certificate of another": (says(answer()), Code.CERTIFICATE_HOST, "another's", False),
    "certificate signs itself": (says(answer()), Code.CERTIFICATE_CHAIN, "self-signed", False),
    "wants a client's certificate": (says(answer()), (*_CLOSED, Code.PROTOCOL_VIOLATION), "wants a certificate", False),
    "agrees on HTTP/2 only": (
        says(b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"), Code.PROTOCOL_VIOLATION, "http2", False
    ),
    "no handshake": (never_reads, Code.CONNECTION_FAILURE, BARE, True),
    "drips a handshake": (drips_a_handshake, _CLOSED, BARE, True),
    "floods the handshake": (floods_the_handshake, _CLOSED, BARE, True),
    "closes before the handshake": (closes_at_once, _CLOSED, BARE, False),
    "closes amid the handshake": (closes_amid_the_handshake, _CLOSED, BARE, False),
    "resets amid the handshake": (resets_amid_the_request, _CLOSED, BARE, False),
    "speaks plainly": (speaks_http, Code.TLS_HANDSHAKE, BARE, False),
    "alerts": (alerts, Code.TLS_HANDSHAKE, BARE, False),
    "silent over TLS": (says(b""), Code.CONNECTION_FAILURE, "good", True),
    "drips over TLS": (drips(LONG_HEAD, b"<"), Code.CONNECTION_FAILURE, "good", True),
    "floods over TLS": (floods(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536)), _TOO_MUCH, "good", False),
    "ends a body over TLS without notice": (
        ends_without_notice(b"HTTP/1.1 200 OK\r\n\r\n<Resp"), (None, *_BROKEN), "good", False
    ),
    "ends a length over TLS without notice": (ends_without_notice(LONG_HEAD + b"<"), _BROKEN, "good", False),
    "ends before the answer over TLS": (ends_without_notice(b""), Code.CONNECTION_FAILURE, "good", False),
}  # fmt: skip
