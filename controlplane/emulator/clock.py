"""Two clocks: the machine's, and one that moves only when nothing else can.

The virtual clock stands still while any code of its event loop is ready to run, or while somebody holds it; when all
is quiet it jumps to the next time that somebody waits for. A scenario of minutes runs in milliseconds, and the same
scenario gives the same times. What the loop cannot see is not waited for: a reply from another process or thread must
be awaited under `hold()`, else the clock runs away meanwhile. An event loop has one virtual clock: two would each take
the other's looking around for work.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from controlplane.base.clock import Clock

# 2026-01-05 09:00:00 UTC, a Monday.
_EPOCH_MS = 1_767_603_600_000

# How many empty rounds of the event loop count as quiet where the loop does not show its queue (uvloop).
_BLIND_ROUNDS = 25


class Timer(Protocol):
    """Something that will run."""

    def cancel(self) -> None:
        """Let it not run."""
        ...


class Timers(Clock, Protocol):
    """A clock that can be asked to call back. Times are milliseconds of `monotonic_ms`."""

    def monotonic_ms(self) -> int:
        """Milliseconds of a clock that only goes forward."""
        ...

    def call_at_ms(self, at_ms: int, run: Callable[[], None]) -> Timer:
        """Call `run` at a time, or as soon as possible after it; never before this returns."""
        ...


class RealClock:
    """The machine's clock, for the event loop that first asks it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000

    def monotonic_s(self) -> float:
        """Seconds of a clock that only goes forward."""
        return time.monotonic()

    def monotonic_ms(self) -> int:
        """Milliseconds of the same clock."""
        return time.monotonic_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """Wait, at least `seconds`."""
        await asyncio.sleep(seconds)

    def call_at_ms(self, at_ms: int, run: Callable[[], None]) -> Timer:
        """Call `run` at a time of `monotonic_ms`."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        # The loop's own clock may be another one (uvloop's is): only the distance is the same.
        return self._loop.call_later(at_ms / 1000 - time.monotonic(), run)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Nothing: this clock cannot be held. Here so that code may hold whichever clock it is given."""
        yield


class _VirtualTimer:
    __slots__ = ("run",)

    def __init__(self, run: Callable[[], None]) -> None:
        self.run: Callable[[], None] | None = run

    def cancel(self) -> None:
        self.run = None


class VirtualClock:
    """A clock that jumps to the next appointment when its event loop has nothing to do and nobody holds it."""

    def __init__(self, epoch_ms: int = _EPOCH_MS) -> None:
        self._epoch_ms = epoch_ms
        self._now_ms = 0
        self._appointments: list[tuple[int, int, _VirtualTimer]] = []
        self._made = 0
        self._holds = 0
        self._quiet_rounds = 0
        self._is_watching = False

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC; begins at `epoch_ms`."""
        return self._epoch_ms + self._now_ms

    def monotonic_s(self) -> float:
        """Seconds since this clock began."""
        return self._now_ms / 1000

    def monotonic_ms(self) -> int:
        """Milliseconds since this clock began."""
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        """Wait `seconds` of this clock (rounded up to milliseconds)."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_at_ms(self._now_ms - int(-seconds * 1000 // 1), lambda: _resolve(woken))
        try:
            await woken
        finally:
            timer.cancel()

    def call_at_ms(self, at_ms: int, run: Callable[[], None]) -> Timer:
        """Call `run` when the clock gets there. Appointments of one time are kept in the order they were made."""
        timer = _VirtualTimer(run)
        self._made += 1
        heapq.heappush(self._appointments, (max(at_ms, self._now_ms), self._made, timer))
        self._watch()
        return timer

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the clock from moving while something is awaited that the event loop cannot see."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds and self._appointments:
                self._watch()

    def _watch(self) -> None:
        if not self._is_watching and not self._holds:
            self._is_watching = True
            self._quiet_rounds = 0
            asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        """Look once whether the loop is quiet. Two looks in a row: between them the loop has polled its sockets."""
        while self._appointments and self._appointments[0][2].run is None:
            heapq.heappop(self._appointments)
        if self._holds or not self._appointments:
            self._is_watching = False
            return
        loop = asyncio.get_running_loop()
        ready = getattr(loop, "_ready", None)
        self._quiet_rounds = 0 if ready else self._quiet_rounds + 1
        loop.call_soon(self._round)
        if self._quiet_rounds >= (2 if ready is not None else _BLIND_ROUNDS):
            self._quiet_rounds = 0
            self._keep_next()

    def _keep_next(self) -> None:
        at_ms, _, timer = heapq.heappop(self._appointments)
        self._now_ms = at_ms
        if timer.run is not None:
            timer.run()


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
