"""The ways in which the platform asks tenants' servers, each through what its processes use for it."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from pydantic import SecretStr

from controlplane.base import ids
from controlplane.base.errors import CallplaneError
from controlplane.base.ids import AccountId, CallId, LegId, Token
from controlplane.calls.facts import Direction, Facts
from controlplane.callserver.ports import FetchFailed
from controlplane.hooks.client import HookClient
from controlplane.hooks.messages import DeliveryRequest, EventContent, FormContent
from controlplane.verbs.documents import Link, Method
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document
from controlplane.wiring.applications import HttpApplications
from controlplane.wiring.prompts import MediaFetcher

ACCOUNT = AccountId(ids.mint(ids.ACCOUNT, 0, b"hell"))
FORM = (("CallSid", "CA1"), ("Digits", "1#"))
NO_DOCUMENT = "no document"
FORGED = "the answer to another request"
USES = ("document", "document by GET", "media", "callback", "event")
_numbers = itertools.count()

# Ask a URL; answers the number of a failure, None if it went well, NO_DOCUMENT for a body that is none, or FORGED.
Use: TypeAlias = Callable[[str], Awaitable[int | str | None]]


@dataclass(frozen=True, slots=True)
class OneToken:
    async def of(self, account: AccountId) -> SecretStr:
        return SecretStr("12345")


def facts_of_a_call() -> Facts:
    """A call of its own, with its own cookies."""
    call = CallId(f"call-{next(_numbers)}")
    return Facts(call, ACCOUNT, LegId("leg"), "local", Direction.INBOUND, "+15550001111", "+15550002222")


def uses_of(client: HookClient, folder: Path) -> Mapping[str, Use]:
    """By name."""
    applications, fetch_media = HttpApplications(client, OneToken()), MediaFetcher(client)

    def ask_document(method: Method) -> Use:
        async def ask(url: str) -> int | str | None:
            facts = facts_of_a_call()
            try:
                fetched = await applications.fetch(facts, Link(url, method), FORM, Token("token.1.0"))
                if b"forged" in fetched.body:
                    return FORGED
                parse_document(fetched.body, fetched.content_type, source_url=fetched.url)
            except FetchFailed as failed:
                return failed.code
            except DocumentError:
                return NO_DOCUMENT
            finally:
                applications.forget(facts.call)
            return None

        return ask

    async def ask_media(url: str) -> int | str | None:
        try:
            await fetch_media(url, folder / f"{next(_numbers)}.wav", etag='"a"', last_modified="")
        except CallplaneError as error:
            return int(str(error.facts["code"]))
        return None

    def deliver(content: FormContent | EventContent) -> Use:
        async def ask(url: str) -> int | str | None:
            return (await client.deliver(DeliveryRequest(Link(url), content, lane=ACCOUNT))).code

        return ask

    return {
        "document": ask_document("POST"),
        "document by GET": ask_document("GET"),
        "media": ask_media,
        "callback": deliver(FormContent(FORM, SecretStr("12345"), "token.1.0")),
        "event": deliver(EventContent(b'{"a":1}', SecretStr("12345"), "evt_1", "callplane")),
    }
