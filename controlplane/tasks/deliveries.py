"""Deliver what is due: take it, send it, write down how it went.

An attempt takes as long as the receiver does, up to the bounds of `hooks`, so nobody waits for one but what comes after
it in the same call: attempts go on beside each other, and whenever one ends there is a look at what is due then. What
is taken is leased (`services/deliver.py`): no other worker sends it meanwhile, and should this one die, another will.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self

from pydantic import SecretStr

from controlplane.base.errors import Unavailable
from controlplane.hooks.client import HookClient
from controlplane.hooks.messages import Content, DeliveryRequest, DeliveryResult, EventContent, FormContent
from controlplane.metrics.logs import call_in_logs
from controlplane.services.deliver import Delivery, record_attempt, take_due_deliveries
from controlplane.services.event_payloads import OLD_VERSION, VERSION, event_body
from controlplane.services.schedule import Attempt
from controlplane.store.database import Database
from controlplane.store.vault import Vault
from controlplane.verbs.documents import Link

log = logging.getLogger(__name__)

SOURCE = "callplane"
AT_ONCE = (
    400  # attempts of one process; an account has 20 places of all, so that it takes twenty slow ones to fill them
)
TAKEN_AT_ONCE = 50
FINISH_WITHIN_S = 5.0
LEASE_S = 30  # twice what an attempt may take (hooks/limits.py): what a killed worker had waits so long
RECORD_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0)


class Counter(Protocol):
    """Counts attempts by outcome: delivered, pending, dead, or late (its lease had ended)."""

    def delivery_attempted(self, outcome: str) -> None: ...


@dataclass(slots=True)
class Courier:
    """Delivers for every account, from one process's event loop: `async with Courier(…) as courier`.

    Leaving the block begins nothing more and gives what is under way a few seconds; what is broken off then is sent
    again by another worker, or the next, when its lease ends.
    """

    db: Database
    vault: Vault
    hooks: HookClient
    counter: Counter
    at_once: int = AT_ONCE
    finish_within_s: float = FINISH_WITHIN_S
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _has_ended: asyncio.Event = field(default_factory=asyncio.Event)
    _is_leaving: bool = False
    _looker: asyncio.Task[None] = field(init=False)

    async def __aenter__(self) -> Self:
        self._looker = asyncio.create_task(self._keep_looking())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_leaving = True
        self._has_ended.set()
        await self._looker
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self.finish_within_s)
        broken_off = [attempt for attempt in self._under_way if attempt.cancel()]
        await asyncio.gather(*broken_off, return_exceptions=True)

    async def deliver_due(self) -> int:
        """Begin with all that is due, as far as there are places; answers how many attempts were begun.

        It does not wait for them, and there is no need to ask again when they have ended. Raises Unavailable.
        """
        begun = 0
        async with self._looking:
            while due := await self._take():
                begun += len(due)
                for delivery in due:
                    attempt = asyncio.create_task(self._attempt(delivery))
                    self._under_way.add(attempt)
                    attempt.add_done_callback(self._ended)
        return begun

    async def _take(self) -> list[Delivery]:
        places = self.at_once - len(self._under_way)
        if places <= 0 or self._is_leaving:
            return []
        async with self.db.transaction() as tx:
            return await take_due_deliveries(tx, self.vault, most=min(places, TAKEN_AT_ONCE), lease_s=LEASE_S)

    async def _attempt(self, delivery: Delivery) -> None:
        link = Link(delivery.url, delivery.method)
        with call_in_logs(delivery.call_id):
            result = await self.hooks.deliver(DeliveryRequest(link, content_of(delivery), lane=delivery.account_id))
        state = await self._record(delivery, attempt_of(result))
        self.counter.delivery_attempted(state or "late")
        log.info("delivery_attempted", extra={"call": delivery.call_id, "state": state, "status": result.status})

    async def _record(self, delivery: Delivery, attempt: Attempt) -> str | None:
        """Write an attempt down, if need be later: one that is not on record is made again when its lease ends."""
        for pause_s in RECORD_AGAIN_S:
            with suppress(Unavailable):
                async with self.db.transaction() as tx:
                    return await record_attempt(tx, delivery, attempt)
            await asyncio.sleep(pause_s)
        async with self.db.transaction() as tx:
            return await record_attempt(tx, delivery, attempt)

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        """What waited behind it may be due now, and there is a place."""
        self._under_way.discard(attempt)
        self._has_ended.set()
        if not attempt.cancelled() and (error := attempt.exception()) is not None:
            _log_failure("attempt_not_recorded", error)  # its lease ends, and it is made again

    async def _keep_looking(self) -> None:
        """One look for all attempts that ended since the last."""
        while not self._is_leaving:
            await self._has_ended.wait()
            self._has_ended.clear()
            try:
                await self.deliver_due()
            except Exception as error:  # the top of this loop; the next nudge is no more than a second away
                _log_failure("outbox_not_read", error)


def _log_failure(what: str, error: BaseException) -> None:
    log.warning(what, extra={"problem": str(error)}, exc_info=None if isinstance(error, Unavailable) else error)


def content_of(delivery: Delivery) -> Content:
    """What a delivery says, and how it is signed."""
    event = delivery.event
    if event is None:
        return FormContent(delivery.parameters, SecretStr(delivery.auth_token), delivery.token)
    return EventContent(
        event_body(event, delivery.account_id, delivery.call_id),
        SecretStr(delivery.secret),
        event.event_id,
        SOURCE,
        "" if event.api_version == OLD_VERSION else VERSION,
    )


def attempt_of(result: DeliveryResult) -> Attempt:
    """How an attempt went, as the schedule wants to know it."""
    error = result.problem or None if result.code is not None else None
    return Attempt(result.status, error, result.elapsed_ms, result.retry_after_s)
