"""How many calls an app has, over all servers: what limits those that come in.

The door waits for no database. So a server counts its own calls from what it drives, and reads now and then how many
the others have: for as long as that is old, a little more than the limit may come in at several servers at once.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId
from controlplane.calls.facts import Facts
from controlplane.callserver.ports import Archive, Route

log = logging.getLogger(__name__)

LOOK_S = 1.0

Count = Callable[[str], int]  # calls of an app that this server drives


@dataclass(slots=True)
class OwnCalls:
    """Calls of one node that this server drives, counted as they come and go: each that comes in asks how many."""

    _apps: dict[CallId, str] = field(default_factory=dict)
    _counts: Counter[str] = field(default_factory=Counter)

    def came(self, facts: Facts) -> None:
        """A call is driven from here on."""
        if facts.app is not None and facts.call not in self._apps:
            self._apps[facts.call] = facts.app
            self._counts[facts.app] += 1

    def went(self, call: CallId) -> None:
        """A call is over, or somebody else's."""
        app = self._apps.pop(call, None)
        if app is not None:
            self._counts[app] -= 1
            if not self._counts[app]:
                del self._counts[app]

    def count(self, app: str) -> int:
        """How many calls of an app are driven."""
        return self._counts[app]


@dataclass(slots=True)
class Crowd:
    """Of the apps that have a limit and were called since this server began."""

    archive: Archive
    clock: Clock
    count_own: Count
    _others: Counter[str] = field(default_factory=Counter)
    _limited: set[str] = field(default_factory=set)

    def has_room(self, route: Route) -> bool:
        """Say whether one more call may come in."""
        if route.app is None or route.channel_limit is None:
            return True
        self._limited.add(route.app)
        return self._others[route.app] + self.count_own(route.app) < route.channel_limit

    async def keep(self) -> None:
        """Read what others have, for ever."""
        while True:
            await self.clock.sleep(LOOK_S)
            if not self._limited:
                continue
            try:
                live = await self.archive.count_live(sorted(self._limited))
            except Unavailable as error:
                log.info("live_calls_uncounted", extra={"problem": str(error)})
                continue
            self._others = Counter({app: max(0, calls - self.count_own(app)) for app, calls in live.items()})
