"""How long and how much: the platform's bounds, and what a URL's fragment makes of them for one request."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.hooks.overrides import Overrides, RetryOn

# Room for a long header, or for a document in chunks of one byte.
_FRAMING_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of every request. Times and retries are those that applications of the TwiML reference expect.

    `total_ms` holds over all attempts, redirects and the reading of the answer. `per_lane` and `at_once` are places for
    requests under way: of one account or host, and of the process.
    """

    connect_ms: int = 5_000
    read_ms: int = 15_000
    total_ms: int = 15_000
    retries: int = 1
    retry_pause_ms: int = 50
    redirects: int = 10
    document_bytes: int = 64 * 1024
    callback_bytes: int = 4 * 1024
    media_ms: int = 60_000
    per_lane: int = 64
    at_once: int = 512
    keep_alive_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The bounds of one request."""

    connect_s: float
    read_s: float
    total_s: float
    retries: int
    retry_pause_s: float
    retry_on: frozenset[RetryOn]
    redirects: int
    sends_sni: bool
    most_bytes: int


def plan_of(limits: Limits, overrides: Overrides, *, total_ms: int, retries: int, body_bytes: int) -> Plan:
    """Put a URL's overrides over the bounds; `total_ms` and `retries` are what goes where the URL says nothing.

    `body_bytes` bounds the content of an answer, and so what a server may say around it.
    """
    return Plan(
        connect_s=(limits.connect_ms if overrides.connect_ms is None else overrides.connect_ms) / 1000,
        read_s=(limits.read_ms if overrides.read_ms is None else overrides.read_ms) / 1000,
        total_s=(total_ms if overrides.total_ms is None else overrides.total_ms) / 1000,
        retries=retries if overrides.retries is None else overrides.retries,
        retry_pause_s=limits.retry_pause_ms / 1000,
        retry_on=overrides.retry_on,
        redirects=limits.redirects,
        sends_sni=overrides.sends_sni,
        most_bytes=2 * body_bytes + _FRAMING_BYTES,
    )
