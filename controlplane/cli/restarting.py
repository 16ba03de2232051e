"""When a process that ended is started again: soon, then later and later, and not for ever."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)  # then the last
WITHIN_S = 60.0


@dataclass(slots=True)
class Restarts:
    """Of one process: at most `most` within WITHIN_S, as one that ends again and again needs somebody to look."""

    most: int
    _ended_s: deque[float] = field(default_factory=deque)

    def maybe_pause_s(self, now_s: float) -> float | None:
        """It ended now, by any monotonic clock: how long to wait before it is started again; None: leave it."""
        while self._ended_s and now_s - self._ended_s[0] >= WITHIN_S:
            self._ended_s.popleft()
        if len(self._ended_s) >= self.most:
            return None
        self._ended_s.append(now_s)
        return PAUSES_S[min(len(self._ended_s), len(PAUSES_S)) - 1]
