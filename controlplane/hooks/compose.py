"""From what a caller wants to the bytes of one request: encoded, signed, with its headers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlencode

from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.messages import DocumentRequest, EventContent, FormContent, MediaRequest
from controlplane.hooks.signing import sign_form, sign_teler
from controlplane.hooks.target import Target
from controlplane.hooks.wire import Ask
from controlplane.verbs.documents import Method

USER_AGENT = "Callplane"


@dataclass(frozen=True, slots=True)
class Hop:
    """A request's place in a chain of redirects: `index` 0 is the one that was asked for.

    `keeps_body` False: a redirect on the way turned the request into a GET (301, 302, 303).
    """

    target: Target
    method: Method
    index: int = 0
    keeps_body: bool = True


Compose: TypeAlias = Callable[[Hop], Ask]


def compose_document(request: DocumentRequest, hop: Hop) -> Ask:
    """Ask for a document: parameters in the query of a GET, as a form in a POST."""
    ask = _compose_form(hop, request.parameters, request.signing_token.get_secret_value(), request.idempotency_token)
    if request.cookies is None:
        return ask
    return _with_cookies(ask, request.cookies)


def compose_callback(content: FormContent, hop: Hop) -> Ask:
    """Tell something in the application's own dialect."""
    return _compose_form(hop, content.parameters, content.signing_token.get_secret_value(), content.idempotency_token)


def compose_event(content: EventContent, hop: Hop) -> Ask:
    """Tell an event as JSON; raises HookError 11215 where a redirect would drop the body and so lose the event."""
    if not hop.keeps_body:
        raise HookError(Code.REDIRECTS, "the redirect drops the event: only 307 and 308 keep it")
    now_s = int(time.time())
    headers = _headers_to(hop.target) | {
        "Content-Type": "application/json",
        "X-Teler-Signature": sign_teler(content.secret.get_secret_value(), now_s, content.body),
        "X-Teler-Timestamp": str(now_s),
        "X-Teler-Event-Id": content.event_id,
        "X-Teler-Source": content.source,
    }
    if content.api_version:
        headers["X-Teler-Api-Version"] = content.api_version
    return Ask("POST", hop.target, headers, content.body)


def compose_media(request: MediaRequest, hop: Hop) -> Ask:
    """Ask for a file: no parameters and no signature, and only if it changed where it is known."""
    headers = _headers_to(hop.target)
    known = (request.known.etag, request.known.last_modified) if request.known is not None else ("", "")
    for name, value in zip(("If-None-Match", "If-Modified-Since"), known, strict=True):
        if value and value.isprintable():  # a server may have said anything, and no header can carry that back
            headers[name] = value
    return Ask("GET", hop.target, headers)


def _compose_form(hop: Hop, parameters: tuple[tuple[str, str], ...], token: str, idempotency_token: str) -> Ask:
    """A redirected request repeats none of the parameters, in whichever method (TwiML reference, webhooks)."""
    fields = () if hop.index else parameters
    form = urlencode(fields, errors="replace")
    is_post = hop.method == "POST"
    target = hop.target if is_post else hop.target.with_query(form)
    headers = _headers_to(target)
    headers["X-Twilio-Signature"] = sign_form(target.url, fields if is_post else (), token)
    headers["I-Twilio-Idempotency-Token"] = idempotency_token
    if not is_post:
        return Ask("GET", target, headers)
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    return Ask("POST", target, headers, form.encode("ascii"))


def _headers_to(target: Target) -> dict[str, str]:
    headers = {
        "Host": target.authority,
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
    }
    if target.userinfo:
        headers["Authorization"] = target.credentials
    return headers


def _with_cookies(ask: Ask, jar: CallCookies) -> Ask:
    cookies = jar.header_for(ask.target)
    if not cookies:
        return ask
    return Ask(ask.method, ask.target, {**ask.headers, "Cookie": cookies}, ask.body)
