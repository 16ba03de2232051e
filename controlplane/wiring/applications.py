"""Tenants' applications, asked over HTTP: signed for their account, with the cookies of the call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr

from controlplane.base.errors import CallplaneError
from controlplane.base.ids import AccountId, CallId, Token
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Fetched, FetchFailed
from controlplane.hooks.client import HookClient
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.messages import DocumentRequest
from controlplane.metrics.logs import call_in_logs
from controlplane.verbs.documents import Link


class Tokens(Protocol):
    """What signs requests to an account's applications."""

    async def of(self, account: AccountId) -> SecretStr:
        """The account's token. Raises a CallplaneError if there is none to be had."""
        ...


@dataclass(slots=True)
class HttpApplications:
    """Fetches documents. `hold` keeps a virtual clock still while a request is under way."""

    client: HookClient
    tokens: Tokens
    hold: Callable[[], AbstractContextManager[None]] = nullcontext
    _cookies: dict[CallId, CallCookies] = field(default_factory=dict)

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        try:
            request = DocumentRequest(
                link,
                tuple(parameters),
                await self.tokens.of(facts.account),
                token,
                cookies=self._cookies.setdefault(facts.call, CallCookies()),
                lane=facts.account,
            )
        except CallplaneError as error:
            raise FetchFailed(int(Code.HTTP_FAILURE), error.message) from error
        try:
            with self.hold(), call_in_logs(facts.call):
                fetched = await self.client.fetch_document(request)
        except HookError as error:
            raise FetchFailed(int(error.code), error.problem) from error
        return Fetched(fetched.url, fetched.content_type, fetched.body)

    def forget(self, call: CallId) -> None:
        self._cookies.pop(call, None)
