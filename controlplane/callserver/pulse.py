"""Whether this process was awake all along, and so may act upon what it hears.

A process that was stopped (SIGSTOP, a frozen container) or whose loop hung wakes with old news in its sockets, while
others may have taken its calls over long since. Its links are read before any of its timers comes, so it cannot rely on
being told: whoever is about to act upon something holds the time against `sure_until_s`, which a beat moves on as long
as none was missed. Past it everything waits, in order, until the server has looked whether its shards are still its.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from controlplane.base.clock import Clock

BEAT_S = 0.5
# Others take over 5 s after the last beat that the database took of us, which it does every second (store/shards.py).
SURE_S = 3.0


@dataclass(slots=True)
class Pulse:
    """One process's. Everything here is called in its event loop."""

    clock: Clock
    sure_until_s: float = field(init=False)
    was_refused: bool = False  # something that was to go out, and was not let
    _waiting: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sure_until_s = self.clock.monotonic_s() + SURE_S

    @property
    def is_sure(self) -> bool:
        """Say whether no beat was missed."""
        return self.clock.monotonic_s() <= self.sure_until_s

    def beat(self) -> None:
        """Be sure for a while longer; a beat that comes too late changes nothing."""
        now_s = self.clock.monotonic_s()
        if now_s <= self.sure_until_s:
            self.sure_until_s = now_s + SURE_S

    def postpone(self, what: Callable[[], None]) -> None:
        """Do this when it is known that it is still ours to do, and never if it is not. It may not raise."""
        self._waiting.append(what)

    def go_on(self) -> None:
        """Nobody was here while we slept: do what waits."""
        self._begin()
        waiting, self._waiting = self._waiting, []
        for what in waiting:
            what()

    def forget(self) -> None:
        """Everything was let go of: what waits is somebody else's."""
        self._begin()
        self._waiting = []

    def _begin(self) -> None:
        self.sure_until_s = self.clock.monotonic_s() + SURE_S
        self.was_refused = False
