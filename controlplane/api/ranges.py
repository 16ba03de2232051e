"""Parts of a file: the Range header (RFC 9110 §14.2). One range of bytes is honoured, several are passed over."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from controlplane.base.errors import BadInput

_RANGE = re.compile(r"bytes\s*=\s*(?P<first>\d*)\s*-\s*(?P<last>\d*)\s*\Z", re.ASCII)
_LONGEST_NUMBER = 18


class RangeNotMet(BadInput):
    """The file has no such part."""

    slug = "range-not-met"
    http_status = 416


def maybe_part(header: str, size_bytes: int) -> tuple[int, int] | None:
    """The first byte wanted and the one after the last, or None for all of it; raises RangeNotMet."""
    match = _RANGE.match(header)
    if match is None or max(len(match["first"]), len(match["last"])) > _LONGEST_NUMBER:
        return None
    first, last = match["first"], match["last"]
    if first:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < int(first):
            return None  # not a range at all (RFC 9110 §14.1.1)
    elif last:
        start, end = max(size_bytes - int(last), 0), size_bytes
    else:
        return None
    if start >= end:
        raise RangeNotMet
    return start, end


async def part_of(stream: AsyncIterator[bytes], start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes of a stream from `start` to before `end`; no more is read than that."""
    at = 0
    async with aclosing(_generator(stream)) as pieces:
        async for piece in pieces:
            wanted = piece[max(start - at, 0) : max(end - at, 0)]
            at += len(piece)
            if wanted:
                yield wanted
            if at >= end:
                return


async def _generator(stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    async for piece in stream:
        yield piece
