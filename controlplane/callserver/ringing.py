"""180 for callers who are not answered at once.

Most applications say within a tenth of a second what is to be done, and as a rule that the call is to be answered.
Nobody misses what would be heard until then, and the node is spared a command, a SIP message and an event of 6 KB.
FreeSWITCH itself says 100. What a tenant is told does not change: a call that was taken rings.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.base.ids import LegId
from controlplane.callserver.call import LiveCall
from controlplane.callserver.outlet import Outlet
from controlplane.switch.link import LinkLost

AFTER_S = 0.1  # a server has 200 ms for a first word (RFC 3261 §17.2.1)
LOOK_S = 0.05


@dataclass(slots=True)
class Ringing:
    """The legs of one node that are to ring, and from when on."""

    outlet: Outlet
    clock: Clock
    _due: dict[LegId, tuple[float, LiveCall]] = field(default_factory=dict)

    def begin(self, call: LiveCall, leg: LegId) -> None:
        """Have a leg ring in a while. One that was answered, or rings, takes no notice (switch_channel.c)."""
        self._due.setdefault(leg, (self.clock.monotonic_s() + AFTER_S, call))

    def forget(self, leg: LegId) -> None:
        """It is answered now, or ended."""
        self._due.pop(leg, None)

    async def keep(self) -> None:
        """Have those ring whose time has come, for ever."""
        while True:
            await self.clock.sleep(LOOK_S)
            self._look()

    def _look(self) -> None:
        now_s = self.clock.monotonic_s()
        while self._due:
            leg, (due_s, call) = next(iter(self._due.items()))
            if due_s > now_s:
                return
            del self._due[leg]
            with suppress(LinkLost):  # whoever finds the call again claims it again
                self.outlet.send(call, leg, self.outlet.writer.ring(leg))
