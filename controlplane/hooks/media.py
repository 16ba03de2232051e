"""Fetching audio that a document names, into a file."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

import aiohttp

from controlplane.hooks.answers import header_of, require_success
from controlplane.hooks.bodies import pieces_of
from controlplane.hooks.compose import compose_media
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.messages import Freshness, MediaFetched, MediaRequest, MediaUnchanged, Validators
from controlplane.hooks.target import Target
from controlplane.hooks.trip import Trip
from controlplane.hooks.wire import abandon

_NOT_MODIFIED = 304
_WRITE_BYTES = 1024 * 1024  # what is gathered before a thread is asked to write it


async def ask_media(trip: Trip, first: Target, request: MediaRequest) -> MediaFetched | MediaUnchanged:
    """Write the file of a 2xx answer to `request.into`; raises HookError, 13420 for a type that is not accepted."""
    target, response = await trip.answer(first, "GET", partial(compose_media, request))
    try:
        if request.known is not None and response.status == _NOT_MODIFIED:
            known, fresh = request.known, _freshness(response)
            return MediaUnchanged(target.url_with_credentials, known, trip.elapsed_ms, fresh)
        require_success(response)
        content_type = _accepted_type(response, request.accept_types)
        async with aclosing(pieces_of(response, request.max_bytes)) as pieces:
            size_bytes = await _save(pieces, request.into)
    finally:
        abandon(response)
    validators = Validators(header_of(response, "ETag"), header_of(response, "Last-Modified"))
    fresh = _freshness(response)
    return MediaFetched(target.url_with_credentials, content_type, size_bytes, validators, trip.elapsed_ms, fresh)


def _freshness(response: aiohttp.ClientResponse) -> Freshness:
    return Freshness(response.headers.get("Cache-Control", ""), response.headers.get("Age", ""))


def _accepted_type(response: aiohttp.ClientResponse, accept_types: frozenset[str]) -> str:
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in accept_types:
        raise HookError(Code.MEDIA_TYPE, "the file's Content-Type is not one that can be played")
    return content_type


async def _save(pieces: AsyncIterator[bytes], into: Path) -> int:
    """Write to a file beside, and put it in place when it is whole; a reader sees the old file or the new."""
    handle, name = tempfile.mkstemp(prefix=f".{into.name}.", dir=into.parent)
    try:
        with os.fdopen(handle, "wb", buffering=0) as file:
            size_bytes = await _write_all(pieces, file.write)
        if not size_bytes:
            raise HookError(Code.BODY_EMPTY, "the file is empty")
        os.replace(name, into)
    except BaseException:
        os.unlink(name)
        raise
    return size_bytes


async def _write_all(pieces: AsyncIterator[bytes], write: Callable[[bytes], object]) -> int:
    size_bytes, waiting = 0, bytearray()
    async for piece in pieces:
        size_bytes += len(piece)
        waiting += piece
        if len(waiting) >= _WRITE_BYTES:
            await asyncio.to_thread(write, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(write, bytes(waiting))
    return size_bytes
