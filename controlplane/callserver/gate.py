"""The gate for new calls: what is measured for `admission.py`, and what its judgement changes.

Closed, calls that come in are refused with a cause that has the SBC try another node (SWITCH_CONGESTION is 503 in
mod_sofia.c, hangup_cause_to_sip), and calls of the queue stay there. Calls that live are not touched. A link that is so
late that callers waited half their time at the door is closed (`switch/pinging.py`); those nobody claims meanwhile are
ended by the watchdog there, and the SBC tries another node as well.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry
from controlplane.calls.machine import CallMachine
from controlplane.callserver.admission import Admission, Bounds, Load, Shares, judge, room, shares_of
from controlplane.callserver.ports import Journal, Meters

log = logging.getLogger(__name__)

LOOK_S = 0.25


@dataclass(slots=True)
class TimedJournal:
    """A journal that tells how long entries take that must be on record before the next command."""

    journal: Journal
    clock: Clock
    _under_way: deque[tuple[float, asyncio.Future[None]]] = field(default_factory=deque)
    _worst_s: float = 0.0

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]:
        saved = self.journal.submit(machine, entry, commands, is_urgent=is_urgent)
        if is_urgent and not saved.done():
            began_s = self.clock.monotonic_s()
            self._under_way.append((began_s, saved))
            saved.add_done_callback(lambda _: self._took(began_s))
        return saved

    def take_worst_s(self) -> float:
        """The longest that one took since this was last asked, or the oldest takes already."""
        while self._under_way and self._under_way[0][1].done():
            self._under_way.popleft()
        oldest_s = self.clock.monotonic_s() - self._under_way[0][0] if self._under_way else 0.0
        worst_s, self._worst_s = max(self._worst_s, oldest_s), 0.0
        return worst_s

    def _took(self, began_s: float) -> None:
        self._worst_s = max(self._worst_s, self.clock.monotonic_s() - began_s)


@dataclass(slots=True)
class Gate:
    """One node's. `link_delay_s` is asked at each look."""

    node: str
    bounds: Bounds
    meters: Meters
    link_delay_s: Callable[[], float]
    admission: Admission = field(default_factory=Admission)

    @property
    def is_open(self) -> bool:
        """Say whether new calls are taken."""
        return self.admission.is_open

    def room(self, most: int) -> int:
        """How many of at most `most` waiting calls to take up now."""
        return room(self.admission, most)

    def refused(self) -> None:
        """Count a call that was refused."""
        self.meters.call_refused(self.node)

    def look(self, *, loop_lag_s: float, commit_s: float, documents: int) -> None:
        """Judge by what was measured."""
        load = Load(loop_lag_s, self.link_delay_s(), commit_s, documents)
        shares = shares_of(load, self.bounds)
        was_open, self.admission = self.admission.is_open, judge(self.admission, shares)
        self.meters.load_measured(self.node, shares, is_open=self.is_open)
        if was_open and not self.is_open:
            log.warning("new_calls_refused", extra={"node": self.node, **_told(shares)})
        elif self.is_open and not was_open:
            log.warning("new_calls_taken_again", extra={"node": self.node, **_told(shares)})


@dataclass(slots=True)
class Gatekeeper:
    """Measures what all nodes' gates share, and has them look."""

    gates: tuple[Gate, ...]
    journal: TimedJournal
    documents: Callable[[], int]
    clock: Clock
    opened: Callable[[], None]  # new calls are taken again: some may wait

    async def keep(self) -> None:
        """Look, for ever."""
        while True:
            due_s = self.clock.monotonic_s() + LOOK_S
            await self.clock.sleep(LOOK_S)
            lag_s = max(0.0, self.clock.monotonic_s() - due_s)
            commit_s, documents = self.journal.take_worst_s(), self.documents()
            closed = [gate for gate in self.gates if not gate.is_open]
            for gate in self.gates:
                gate.look(loop_lag_s=lag_s, commit_s=commit_s, documents=documents)
            if any(gate.is_open for gate in closed):
                self.opened()


def _told(shares: Shares) -> dict[str, float]:
    """Shares of bounds as a log tells them."""
    return {f"{name}_share": round(share, 2) for name, share in shares.items()}
