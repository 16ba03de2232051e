"""Where numbers lead, and what signs requests there, kept in memory: a call that comes in asks no database.

What is known is read again when something changed (the database tells), and after every gap in being told. While the
database is away the last that was read still holds.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from pydantic import SecretStr

from controlplane.base.e164 import E164
from controlplane.base.errors import Unavailable
from controlplane.base.ids import AccountId
from controlplane.callserver.ports import Route
from controlplane.services.accounts import read_auth_token
from controlplane.services.load_routing import Route as StoredRoute
from controlplane.services.load_routing import Routing, load_routing
from controlplane.store.database import Database
from controlplane.store.vault import Vault

log = logging.getLogger(__name__)

RETRY_S = 1.0
DEFECT_RETRY_S = 10.0  # by itself nothing changes then; each try is an error in the log
SETTLE_S = 0.02  # changes come in flocks: one reading for all of them


@dataclass(slots=True)
class NumbersInMemory:
    """Answers for every number from what was read last."""

    db: Database
    defect_retry_s: float = DEFECT_RETRY_S
    _routing: Routing = field(default_factory=lambda: Routing({}, {}, {}))
    _stale: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """What is known may be out of date."""
        self._stale.set()

    async def read(self) -> None:
        """Read everything now. Raises Unavailable."""
        async with self.db.transaction() as tx:
            read = await load_routing(tx)
        for app in sorted(read.unreadable_apps - self._routing.unreadable_apps):
            log.error("app_unreadable", extra={"app": app})  # once: it is read again with every change of any other
        self._routing = read
        log.info("routing_read", extra={"numbers": len(self._routing.holders), "routes": len(self._routing.routes)})

    async def keep_fresh(self) -> None:
        """Read again whenever something changed; runs until it is cancelled."""
        while True:
            await self._stale.wait()
            await asyncio.sleep(SETTLE_S)
            self._stale.clear()
            try:
                await self.read()
            except Unavailable as error:
                log.info("routing_unreadable", extra={"problem": str(error)})
                self._stale.set()
                await asyncio.sleep(RETRY_S)
            except Exception:  # the top of this loop: calls go on by what was read last, and nobody else would tell
                log.exception("routing_broke")
                self._stale.set()
                await asyncio.sleep(self.defect_retry_s)

    def maybe_route(self, dialled_number: str) -> Route | None:
        """Where calls to a number go; a number that somebody has and set to nothing answers, too."""
        number = E164(dialled_number)
        route = self._routing.routes.get(number)
        if route is not None:
            return _route(route)
        holder = self._routing.holders.get(number)
        return Route(holder, None, None, None, None, None) if holder is not None else None

    def maybe_sealed_token(self, account: AccountId) -> bytes | None:
        """What signs an account's requests, sealed for it."""
        return self._routing.auth_tokens.get(account)

    def may_show(self, account: AccountId, caller_id: str) -> bool:
        """Say whether a number is the account's to call under."""
        return self._routing.holders.get(E164(caller_id)) == account


def _route(route: StoredRoute) -> Route:
    return Route(
        account=route.account_id,
        app=route.app_id,
        document=route.flow,
        fallback=route.fallback,
        status_callback=route.status_callback,
        webhook_url=route.webhook_url,
        record=route.record,
        channel_limit=route.channel_limit,
    )


@dataclass(slots=True)
class SigningTokens:
    """What signs requests to an account's applications, from memory as well: it is needed for every document."""

    numbers: NumbersInMemory
    db: Database
    vault: Vault

    async def of(self, account: AccountId) -> SecretStr:
        """The account's token. Raises NotFound, SecretUnreadable; Unavailable for one newer than what was read."""
        sealed = self.numbers.maybe_sealed_token(account)
        if sealed is not None:
            return SecretStr(self.vault.open(sealed, bound=account))
        async with self.db.transaction() as tx:
            return SecretStr(await read_auth_token(tx, self.vault, account))
