"""What is asked of the HTTP client, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pydantic import SecretStr

from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code
from controlplane.verbs.documents import Link


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """Ask an application what to do. `link.url` is absolute, its fragment may hold overrides.

    `signing_token` is the account's; `idempotency_token` is the same on every attempt and after a crash; `cookies` is
    the call's jar, and is updated. `lane` says whose places it takes (the account); "" means the host's.
    """

    link: Link
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    signing_token: SecretStr
    idempotency_token: str
    cookies: CallCookies | None = None
    lane: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer with a body. `url` is where it came from in the end: the base of relative URLs, credentials kept.

    `content_type` is the header as sent, "" if there was none; `body` is b"" for audio, which fetch_media is for;
    `attempts` counts requests, redirects among them.
    """

    url: str
    content_type: str
    body: bytes
    elapsed_ms: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave to ask later whether a file changed (RFC 9110 §8.8); "" where it gave nothing."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long a server says that a file stays as it is (RFC 9111 §5.2.2, §5.1); "" where it says nothing."""

    cache_control: str = ""
    age: str = ""


@dataclass(frozen=True, slots=True)
class MediaRequest:
    """Fetch a file into `into`, which is replaced whole or left alone.

    `accept_types` are media types in lower case; `known` the validators of what `into` holds, if it holds anything.
    """

    url: str
    into: Path
    max_bytes: int
    accept_types: frozenset[str]
    known: Validators | None = None
    lane: str = ""


@dataclass(frozen=True, slots=True)
class MediaFetched:
    """A file was written. `content_type` is without parameters, in lower case."""

    url: str
    content_type: str
    size_bytes: int
    validators: Validators
    elapsed_ms: int
    freshness: Freshness = Freshness()


@dataclass(frozen=True, slots=True)
class MediaUnchanged:
    """The server says that what is known is still right (304)."""

    url: str
    validators: Validators
    elapsed_ms: int
    freshness: Freshness = Freshness()


@dataclass(frozen=True, slots=True)
class FormContent:
    """A callback in the application's own dialect, with X-Twilio-Signature."""

    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    signing_token: SecretStr
    idempotency_token: str


@dataclass(frozen=True, slots=True)
class EventContent:
    """An event as JSON, with X-Teler-Signature. `api_version` "" sends no X-Teler-Api-Version."""

    body: bytes = field(repr=False)
    secret: SecretStr
    event_id: str
    source: str
    api_version: str = ""


Content: TypeAlias = FormContent | EventContent


@dataclass(frozen=True, slots=True)
class DeliveryRequest:
    """Tell an application something; only the status of its answer counts."""

    link: Link
    content: Content
    lane: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """How one attempt to deliver ended. `code` None: delivered (2xx).

    `status` is None where no answer came; `retry_after_s` what the server asked for, at most a day.
    """

    status: int | None
    elapsed_ms: int
    code: Code | None = None
    problem: str = ""
    retry_after_s: int | None = None
