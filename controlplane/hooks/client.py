"""The HTTP client to tenants: one per process, shared by all calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from controlplane.hooks.answers import ask_document, deliver_once
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.guard import Guard, Lookup, SystemLookup, lane_under_way
from controlplane.hooks.lanes import Lanes
from controlplane.hooks.limits import Limits, Plan, plan_of
from controlplane.hooks.media import ask_media
from controlplane.hooks.messages import (
    DeliveryRequest,
    DeliveryResult,
    DocumentRequest,
    Fetched,
    MediaFetched,
    MediaRequest,
    MediaUnchanged,
)
from controlplane.hooks.overrides import parse_overrides
from controlplane.hooks.target import Target, hide_credentials, parse_target
from controlplane.hooks.trip import Trip
from controlplane.hooks.wire import Wire

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Terms:
    """What holds for a kind of request unless its URL says otherwise."""

    total_ms: int
    retries: int
    body_bytes: int
    lane: str
    lanes: Lanes
    cookies: CallCookies | None = None


class HookClient:
    """Asks tenants' servers, those that may be asked: `async with HookClient() as client`.

    `allow_private` opens loopback and private networks (a laptop, an intranet); `authorities` is a PEM file of
    certificate authorities to trust besides the system's; `lookup` stands in for the system's name resolution.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        limits: Limits | None = None,
        authorities: Path | None = None,
        lookup: Lookup | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._guard = Guard(allow_private=allow_private)
        self._authorities, self._own_lookup = authorities, lookup
        # Files may take four times as long as documents: they have places of their own.
        self._lanes, self._media_lanes = (
            Lanes(per_lane=self._limits.per_lane, at_once=self._limits.at_once) for _ in range(2)
        )
        self._system_lookup: SystemLookup | None = None
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        self._system_lookup = SystemLookup()
        lookup = self._own_lookup or self._system_lookup
        self._wire = Wire(self._guard, lookup, self._limits, self._authorities)
        if self._authorities is not None:
            await self._wire.read_authorities()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wire is not None:
            await self._wire.close()
        if self._system_lookup is not None:
            self._system_lookup.close()

    async def fetch_document(self, request: DocumentRequest) -> Fetched:
        """Ask an application what to do; raises HookError."""
        terms = _Terms(
            self._limits.total_ms,
            self._limits.retries,
            self._limits.document_bytes,
            request.lane,
            self._lanes,
            request.cookies,
        )
        return await self._run(
            request.link.url, terms, lambda trip, first: ask_document(trip, first, request, self._limits)
        )

    async def fetch_media(self, request: MediaRequest) -> MediaFetched | MediaUnchanged:
        """Fetch a file that a document names; raises HookError, and OSError if it cannot be written."""
        terms = _Terms(self._limits.media_ms, self._limits.retries, request.max_bytes, request.lane, self._media_lanes)
        return await self._run(request.url, terms, lambda trip, first: ask_media(trip, first, request))

    async def deliver(self, request: DeliveryRequest) -> DeliveryResult:
        """Tell an application something, once: whoever keeps the outbox repeats it. Raises nothing for its failures."""
        terms = _Terms(self._limits.total_ms, 0, self._limits.callback_bytes, request.lane, self._lanes)
        try:
            return await self._run(
                request.link.url, terms, lambda trip, first: deliver_once(trip, first, request, self._limits)
            )
        except HookError as error:
            return DeliveryResult(error.status, error.elapsed_ms, error.code, error.problem, error.retry_after_s)

    async def _run(self, url: str, terms: _Terms, work: Callable[[Trip, Target], Awaitable[T]]) -> T:
        began_s = time.monotonic()
        shown_url, host = "", ""
        try:
            first = parse_target(url)
            shown_url, host = first.url, first.host
            plan = plan_of(
                self._limits,
                parse_overrides(first.fragment),
                total_ms=terms.total_ms,
                retries=terms.retries,
                body_bytes=terms.body_bytes,
            )
            return await self._within(plan, first, terms, work)
        except HookError as error:
            error.url = shown_url or hide_credentials(url)
            error.elapsed_ms = round((time.monotonic() - began_s) * 1000)
            # The host and no more: paths and queries hold numbers and secrets.
            log.info("hook_failed", extra={"host": host, "code": int(error.code), "elapsed_ms": error.elapsed_ms})
            raise

    async def _within(
        self, plan: Plan, first: Target, terms: _Terms, work: Callable[[Trip, Target], Awaitable[T]]
    ) -> T:
        if self._wire is None:
            raise RuntimeError("HookClient is used outside of its `async with` block")
        trip, lane = Trip(self._wire, self._guard, plan, terms.cookies), terms.lane or first.host.lower()
        lane_under_way.set(lane)
        try:
            async with asyncio.timeout(plan.total_s), terms.lanes.place(lane):
                return await work(trip, first)
        except HookError as error:
            error.attempts = trip.attempts
            raise
        except TimeoutError:
            problem = f"no whole answer within {round(plan.total_s * 1000)} ms: still {trip.progress.stage}"
            late = HookError(Code.CONNECTION_FAILURE, problem)
            late.attempts = trip.attempts
            raise late from None
