"""Event loops whose time stands still until a test moves it: what a test sees cannot depend on how fast it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from heapq import heappop, heappush
from itertools import count
from typing import Any

import uvloop

# Enough for everyone who was woken, and whom they wake, to come as far as they get without more time.
_TURNS = 30


class StillTime:
    """A loop's timers, kept by `when` instead of by the machine's clock. Bytes and threads come as they do."""

    def __init__(self) -> None:
        self._now_s = 1000.0
        self._order = count()
        self._due: list[tuple[float, int, asyncio.TimerHandle]] = []
        super().__init__()

    def time(self) -> float:
        return self._now_s

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        assert isinstance(self, asyncio.AbstractEventLoop)
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._due, (when, next(self._order), handle))
        return handle

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now_s + delay, callback, *args, context=context)

    async def move(self, seconds: float) -> None:
        """Let time pass: each timer at its time, and what follows from it before the next."""
        until_s = self._now_s + seconds
        await let_run()
        while self._due and self._due[0][0] <= until_s:
            self._now_s = self._due[0][0]
            self._ring()
            await let_run()
        self._now_s = until_s

    def _ring(self) -> None:
        """Run what is due now, all of it before anyone who is woken: as a loop does."""
        while self._due and self._due[0][0] <= self._now_s:
            _, _, handle = heappop(self._due)
            if not handle.cancelled():
                handle._run()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A canceled timer is left out when its time comes."""


async def let_run() -> None:
    """Let everyone go on who can without more time."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


class StillLoop(StillTime, asyncio.SelectorEventLoop):  # type: ignore[misc]  # one class's timers for another's
    """asyncio's own."""


class StillUvloop(StillTime, uvloop.Loop):  # type: ignore[misc]
    """The loop that processes run on."""
