"""Short ways to ask, for these tests."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from controlplane.hooks.client import HookClient
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.limits import Limits
from controlplane.hooks.messages import DocumentRequest
from controlplane.verbs.documents import Link, Method

TOKEN = "12345"
PARAMETERS = (("CallSid", "CA1"), ("Digits", "1#"))
QUICK = Limits(connect_ms=300, read_ms=300, total_ms=600, retry_pause_ms=0, media_ms=600)


def client_to_loopback(limits: Limits = QUICK) -> HookClient:
    """A client that may ask loopback, with bounds that keep tests quick."""
    return HookClient(allow_private=True, limits=limits)


def document(
    url: str,
    method: Method = "POST",
    parameters: tuple[tuple[str, str], ...] = PARAMETERS,
    cookies: CallCookies | None = None,
) -> DocumentRequest:
    """A request for a document."""
    return DocumentRequest(Link(url, method), parameters, SecretStr(TOKEN), "cs_1.2.0", cookies)


async def failure_of(client: HookClient, request: DocumentRequest) -> HookError:
    """Ask, and answer how it failed."""
    with pytest.raises(HookError) as caught:
        await client.fetch_document(request)
    return caught.value


async def code_of(client: HookClient, url: str) -> Code:
    """Ask a URL that fails, and answer the number."""
    return (await failure_of(client, document(url))).code
