"""A fiber: one coroutine that waits for nothing but time, and for being woken.

A channel's thread in FreeSWITCH reads a frame every 20 ms and looks around after each. Ten thousand of these as timers
would keep a core busy doing nothing; a fiber instead says until when it has nothing to do, and whoever has something
for it wakes it at its next frame. It is no asyncio task: it runs inside the clock's own callback, so that nothing of a
frame is ever half done when other code looks.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import coroutine

from controlplane.emulator.clock import Timer, Timers


@coroutine
def pause(until_ms: int | None) -> Generator[int | None, None, None]:
    """Inside a fiber: let time pass until `until_ms` (None: for ever), or less if the fiber is woken before."""
    yield until_ms


Work = Coroutine[int | None, None, None]


class Fiber:
    """Runs one coroutine that waits with `pause` only; `begin` makes it when its time has come."""

    __slots__ = ("_begin", "_clock", "_coroutine", "_due_ms", "_is_over", "_is_running", "_on_end", "_timer")

    def __init__(self, clock: Timers, begin: Callable[[], Work], on_end: Callable[[], None] | None = None) -> None:
        self._clock, self._begin, self._on_end = clock, begin, on_end
        self._coroutine: Work | None = None
        self._is_over = False
        self._timer: Timer | None = None
        self._due_ms: int | None = None
        self._is_running = False

    def wake_at(self, at_ms: int) -> None:
        """Go on at `at_ms` at the latest. A fiber that is running, or not begun, keeps this in mind."""
        if self._is_over or (self._due_ms is not None and self._due_ms <= at_ms):
            return
        self._due_ms = at_ms
        if not self._is_running:
            self._appoint()

    def stop(self) -> None:
        """End the coroutine where it stands. Its `finally` blocks run, and must not pause."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._coroutine is not None and not self._is_running:
            self._coroutine.close()

    def _appoint(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if self._due_ms is None else self._clock.call_at_ms(self._due_ms, self._go_on)

    def _go_on(self) -> None:
        if self._is_over:
            return
        if self._coroutine is None:
            self._coroutine = self._begin()
        self._timer, self._due_ms, self._is_running = None, None, True
        try:
            until_ms = self._coroutine.send(None)
        except StopIteration:
            self._end()
            return
        except BaseException:
            self._end()  # whoever waits for the end must not wait for ever
            raise
        finally:
            self._is_running = False
        if self._is_over:  # it was stopped from inside
            self._coroutine.close()
            return
        if until_ms is not None and (self._due_ms is None or until_ms < self._due_ms):
            self._due_ms = until_ms
        self._appoint()

    def _end(self) -> None:
        self._is_over = True
        if self._on_end is not None:
            self._on_end()
