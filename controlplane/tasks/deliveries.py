"""Deliver what is due: take it, send it, write down how it went."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from controlplane.hooks.client import HookClient
from controlplane.hooks.messages import Content, DeliveryRequest, DeliveryResult, EventContent, FormContent
from controlplane.services.deliver import Delivery, record_attempt, take_due_deliveries
from controlplane.services.event_payloads import OLD_VERSION, VERSION, event_body
from controlplane.services.schedule import Attempt
from controlplane.store.database import Database
from controlplane.store.vault import Vault
from controlplane.verbs.documents import Link

log = logging.getLogger(__name__)

SOURCE = "callplane"


class Counter(Protocol):
    """Counts attempts by outcome: delivered, pending, dead, or late (its lease had ended)."""

    def delivery_attempted(self, outcome: str) -> None: ...


@dataclass(slots=True)
class Courier:
    """Delivers for every account, from one process's event loop."""

    db: Database
    vault: Vault
    hooks: HookClient
    counter: Counter

    async def deliver_due(self) -> int:
        """Deliver until nothing more is due; answers how many attempts were made. Raises Unavailable."""
        made = 0
        while True:
            async with self.db.transaction() as tx:
                due = await take_due_deliveries(tx, self.vault)
            if not due:
                return made
            await asyncio.gather(*(self._attempt(delivery) for delivery in due))
            made += len(due)

    async def _attempt(self, delivery: Delivery) -> None:
        link = Link(delivery.url, delivery.method)
        result = await self.hooks.deliver(DeliveryRequest(link, content_of(delivery), lane=delivery.account_id))
        async with self.db.transaction() as tx:
            state = await record_attempt(tx, delivery, attempt_of(result))
        self.counter.delivery_attempted(state or "late")
        log.info("delivery_attempted", extra={"call": delivery.call_id, "state": state, "status": result.status})


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
