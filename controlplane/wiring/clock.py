"""The real clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable


class SystemClock:
    """This machine's time."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> Awaitable[None]:
        return asyncio.sleep(seconds)
