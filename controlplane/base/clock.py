"""The clock that shells read. Cores are told the time with each event."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol


class Clock(Protocol):
    """Time for shells: the real one, or the emulator's virtual one."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds of a clock that only goes forward."""
        ...

    def sleep(self, seconds: float) -> Awaitable[None]:
        """Wait, at least `seconds` of this clock."""
        ...
