"""A clock that is moved by hand."""

from __future__ import annotations

import asyncio


class HandClock:
    """See base.clock.Clock. It stands still until `pass_s`."""

    def __init__(self) -> None:
        self._now_s = 1000.0

    def now_ms(self) -> int:
        return int(self._now_s * 1000)

    def monotonic_s(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        self.pass_s(seconds)
        await asyncio.sleep(0)

    def pass_s(self, seconds: float) -> None:
        self._now_s += seconds
