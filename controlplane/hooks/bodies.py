"""Reading an answer's body: bounded on the wire and after decoding, whatever the headers claim."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Iterator

import aiohttp

from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.faults import fault_of

# DEFLATE reaches 1032:1 on zeros; text stays far below this. What fits into `_FREE_BYTES` is not asked for its ratio.
_MAX_RATIO = 200
_FREE_BYTES = 256 * 1024
_PIECE_BYTES = 256 * 1024
# What has arrived is read without waiting, and costs by its chunks: a body in one-byte chunks would keep everyone else
# from their turn.
_READ_BYTES = 4 * 1024
_READS_A_TURN = 2


async def read_body(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    """Answer the whole decoded body; raises HookError 11750 above the limit, 11206 if it is broken."""
    return b"".join([piece async for piece in pieces_of(response, limit_bytes)])


async def pieces_of(response: aiohttp.ClientResponse, limit_bytes: int) -> AsyncGenerator[bytes, None]:
    """Answer the decoded body in pieces of at most 256 KiB; memory does not grow with the body."""
    length = response.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and int(length[:19]) > limit_bytes:
        raise _too_large(limit_bytes)
    decoder = _decoder_of(response.headers.get("Content-Encoding", ""))
    wire_bytes = body_bytes = reads = 0
    while data := await _next_of(response):
        wire_bytes += len(data)
        reads += 1
        if reads % _READS_A_TURN == 0:
            await asyncio.sleep(0)
        if wire_bytes > limit_bytes:
            raise _too_large(limit_bytes)
        for piece in decoder.feed(data):
            body_bytes += len(piece)
            if body_bytes > limit_bytes or body_bytes > max(_FREE_BYTES, wire_bytes * _MAX_RATIO):
                raise _too_large(limit_bytes)
            yield piece
    decoder.end()


async def _next_of(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.read(_READ_BYTES)
    except (aiohttp.ClientError, OSError) as error:
        # `from None`: the library's texts hold the whole URL, and this error may be logged.
        raise fault_of(error) from None


class _Plain:
    """A body that is not encoded."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def end(self) -> None:
        """Nothing can be missing: the HTTP parser has seen the end."""


class _Inflate:
    """gzip (RFC 1952) or zlib (RFC 1950, what HTTP calls deflate), one member."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Answer what `data` decodes to, a bounded piece at a time: a bomb is caught at its first pieces."""
        while data:
            if self._zlib.eof:
                raise _undecodable()
            try:
                piece = self._zlib.decompress(data, _PIECE_BYTES)
            except zlib.error:
                raise _undecodable() from None
            data = self._zlib.unconsumed_tail or self._zlib.unused_data
            yield piece

    def end(self) -> None:
        if not self._zlib.eof:
            raise HookError(Code.PROTOCOL_VIOLATION, "the encoded body ends too early")


def _decoder_of(encoding: str) -> _Plain | _Inflate:
    match encoding.strip().lower():
        case "" | "identity":
            return _Plain()
        case "gzip" | "x-gzip" | "deflate":
            return _Inflate()
    raise HookError(Code.PROTOCOL_VIOLATION, "the body has a Content-Encoding that was not asked for")


def _too_large(limit_bytes: int) -> HookError:
    return HookError(Code.BODY_TOO_LARGE, f"the body is larger than {limit_bytes} bytes")


def _undecodable() -> HookError:
    return HookError(Code.PROTOCOL_VIOLATION, "the body does not decode as its Content-Encoding says")
