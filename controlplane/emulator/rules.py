"""How a node is set up: its door, its links, and what it leaves to chance."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Door:
    """What the dialplan does with every inbound call. `watchdog_s` None schedules no hang-up.

    `before_park` are more applications with their data, run last before the call is parked.
    """

    name: str = "a"
    watchdog_s: int | None = 10
    before_park: tuple[tuple[str, str], ...] = ()

    def actions(self) -> list[tuple[str, str]]:
        """The applications, in order."""
        watchdog = [("sched_hangup", f"+{self.watchdog_s} RECOVERY_ON_TIMER_EXPIRE")] if self.watchdog_s else []
        return [("set", f"callplane_door={self.name}"), *watchdog, *self.before_park, ("park", "")]


@dataclass(frozen=True, slots=True)
class LinkRules:
    """How the node treats its links. Lengths are FreeSWITCH's own; tests make them small."""

    password: str = "ClueCon"  # noqa: S105
    is_refusing: bool = False
    poll_ms: int = 20
    queue_limit: int = 100_000
    lost_limit: int = 500


@dataclass(slots=True)
class Races:
    """Which order events of two threads come in, where a real node shows either.

    With a seed each is tossed for; without, the order that is usual.
    """

    seed: int | None = None
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311

    def is_unusual(self) -> bool:
        """Toss for one race."""
        return self.seed is not None and self._random.random() < 0.5
