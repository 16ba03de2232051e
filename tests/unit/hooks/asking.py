"""Short ways to ask, for these tests."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

from controlplane.hooks.client import HookClient
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.limits import Limits
from controlplane.hooks.messages import DocumentRequest
from controlplane.verbs.documents import Link, Method
from tests.still_time import StillTime
from tests.unit.hooks.servers import Server

T = TypeVar("T")
TOKEN = "12345"
PARAMETERS = (("CallSid", "CA1"), ("Digits", "1#"))
AT_ONCE = Limits(retry_pause_ms=0)  # time stands still in these tests: a pause would not end


def client_to_loopback(limits: Limits = AT_ONCE) -> HookClient:
    """A client that may ask loopback."""
    return HookClient(allow_private=True, limits=limits)


def document(
    url: str,
    method: Method = "POST",
    parameters: tuple[tuple[str, str], ...] = PARAMETERS,
    cookies: CallCookies | None = None,
) -> DocumentRequest:
    """A request for a document."""
    return DocumentRequest(Link(url, method), parameters, SecretStr(TOKEN), "cs_1.2.0", cookies)


async def after(seconds: float, server: Server, time: StillTime, work: Coroutine[Any, Any, T]) -> T:
    """What it comes to if so much time passes once it is connected to this server."""
    task = asyncio.create_task(work)
    await server.has_connections(1)
    await time.move(seconds - 0.001)
    assert not task.done(), "this was given up too early"
    await time.move(0.001)
    return await task


async def failure_of(client: HookClient, request: DocumentRequest) -> HookError:
    """Ask, and answer how it failed."""
    with pytest.raises(HookError) as caught:
        await client.fetch_document(request)
    return caught.value


async def code_of(client: HookClient, url: str) -> Code:
    """Ask a URL that fails, and answer the number."""
    return (await failure_of(client, document(url))).code
