"""Doing a thing once for everybody who asks while it is being done, and not again at once when it failed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from controlplane.base.clock import Clock
from controlplane.base.errors import CallplaneError

_T = TypeVar("_T")
_MOST_FAILURES = 1000


class Flights(Generic[_T]):
    """Work under way, by key. A failure (CallplaneError) is everybody's answer for `failed_s` more."""

    def __init__(self, clock: Clock, *, failed_s: float) -> None:
        self._clock, self._failed_s = clock, failed_s
        self._under_way: dict[Hashable, asyncio.Task[_T]] = {}
        self._failed: OrderedDict[Hashable, tuple[float, CallplaneError]] = OrderedDict()

    async def once(self, key: Hashable, work: Callable[[], Awaitable[_T]]) -> _T:
        """Join the work under way for `key`, or begin it. Who is canceled leaves; the work goes on for the others."""
        task = self._under_way.get(key)
        if task is None:
            until_s, failure = self._failed.get(key, (0.0, None))
            if failure is not None and until_s > self._clock.monotonic_s():
                raise failure.with_traceback(None)
            task = asyncio.create_task(self._fly(key, work))
            self._under_way[key] = task
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fly(self, key: Hashable, work: Callable[[], Awaitable[_T]]) -> _T:
        try:
            return await work()
        except CallplaneError as error:
            self._failed.pop(key, None)
            self._failed[key] = (self._clock.monotonic_s() + self._failed_s, error)
            while len(self._failed) > _MOST_FAILURES:
                self._failed.popitem(last=False)
            self._under_way[key].add_done_callback(_heard)
            raise
        finally:
            del self._under_way[key]


def _heard(task: asyncio.Task[Any]) -> None:
    """A failure that nobody waits for any more is no defect of ours, and would be logged as one."""
    task.exception()
