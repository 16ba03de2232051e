"""What an application's answer amounts to: a document, or the word that a callback arrived."""

from __future__ import annotations

import asyncio
import re
import time
from email.utils import parsedate_to_datetime
from functools import partial

import aiohttp

from controlplane.hooks.bodies import read_body
from controlplane.hooks.compose import compose_callback, compose_document, compose_event
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.limits import Limits
from controlplane.hooks.messages import DeliveryRequest, DeliveryResult, DocumentRequest, EventContent, Fetched
from controlplane.hooks.target import Target
from controlplane.hooks.trip import Trip
from controlplane.hooks.wire import abandon

_DRAIN_S = 0.25
_DAY_S = 86_400


async def ask_document(trip: Trip, first: Target, request: DocumentRequest, limits: Limits) -> Fetched:
    """Answer the body of a 2xx answer; raises HookError for any other, and for an empty one.

    Audio instead of a document is to be played from its URL: its body is not read and answered as b"".
    """
    target, response = await trip.answer(first, request.link.method, partial(compose_document, request))
    try:
        require_success(response)
        content_type = header_of(response, "Content-Type")
        is_audio = content_type.strip().lower().startswith("audio/")
        body = b"" if is_audio else await read_body(response, limits.document_bytes)
    finally:
        abandon(response)
    if not body and not is_audio:
        raise HookError(Code.BODY_EMPTY, "the answer has no body", status=response.status)
    return Fetched(target.url_with_credentials, content_type, body, trip.elapsed_ms, trip.attempts)


async def deliver_once(trip: Trip, first: Target, request: DeliveryRequest, limits: Limits) -> DeliveryResult:
    """Answer how the server took a callback or an event; raises HookError where no answer came."""
    if isinstance(request.content, EventContent):
        _, response = await trip.answer(first, "POST", partial(compose_event, request.content))
    else:
        _, response = await trip.answer(first, request.link.method, partial(compose_callback, request.content))
    try:
        await _drain(response, limits.callback_bytes, trip.left_s)
    finally:
        abandon(response)
    if 200 <= response.status <= 299:
        return DeliveryResult(response.status, trip.elapsed_ms)
    problem, retry_after_s = f"the server answered {response.status}", retry_after_of(response)
    return DeliveryResult(response.status, trip.elapsed_ms, Code.CALLBACK_ANSWER, problem, retry_after_s)


def header_of(response: aiohttp.ClientResponse, name: str) -> str:
    """The value of a header, "" if there is none. The library turns bytes that are not UTF-8 into halves of surrogate
    pairs, which nobody can write down: such a byte is a question mark here."""
    return response.headers.get(name, "").encode("utf-8", "replace").decode()


def require_success(response: aiohttp.ClientResponse) -> None:
    """Raise HookError 11200 unless the status is 2xx."""
    if not 200 <= response.status <= 299:
        raise HookError(
            Code.HTTP_FAILURE,
            f"the server answered {response.status}",
            status=response.status,
            retry_after_s=retry_after_of(response),
        )


def retry_after_of(response: aiohttp.ClientResponse) -> int | None:
    """How many seconds the server wants to be left alone, at most a day (RFC 9110 §10.2.3); None if it does not say."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return min(int(value), _DAY_S)
    try:
        seconds = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(0, round(seconds)), _DAY_S)


async def _drain(response: aiohttp.ClientResponse, limit_bytes: int, left_s: float) -> None:
    """Read a short answer to its end, so that its connection can serve again; the status is in, nothing else counts."""
    try:
        async with asyncio.timeout(min(_DRAIN_S, left_s / 2)):
            await read_body(response, limit_bytes)
    except (HookError, TimeoutError):
        return
