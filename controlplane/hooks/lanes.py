"""How many requests may be under way: in one lane, and in all, so that one slow server cannot take every place.

A lane is an account where the caller says so, else a host.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from types import TracebackType


class Lanes:
    """Places for requests. A request waits for a place in its lane first, then for one of all."""

    def __init__(self, *, per_lane: int, at_once: int) -> None:
        self._per_lane, self._all = per_lane, asyncio.Semaphore(at_once)
        self._gates: dict[str, asyncio.Semaphore] = {}
        self._users: Counter[str] = Counter()

    def place(self, lane: str) -> Place:
        """A place for one request in `lane`: `async with lanes.place(lane)`."""
        return Place(self, lane)

    async def _enter(self, lane: str) -> None:
        gate = self._gates.setdefault(lane, asyncio.Semaphore(self._per_lane))
        self._users[lane] += 1
        try:
            await gate.acquire()
        except BaseException:
            self._forget(lane)
            raise
        try:
            await self._all.acquire()
        except BaseException:
            gate.release()
            self._forget(lane)
            raise

    def _leave(self, lane: str) -> None:
        self._all.release()
        self._gates[lane].release()
        self._forget(lane)

    def _forget(self, lane: str) -> None:
        """Drop a lane that nobody is or waits in, so that the table stays as small as the work under way."""
        self._users[lane] -= 1
        if not self._users[lane]:
            del self._users[lane], self._gates[lane]


class Place:
    """One request's place; given back when the block ends, however it ends."""

    __slots__ = ("_lane", "_lanes")

    def __init__(self, lanes: Lanes, lane: str) -> None:
        self._lanes, self._lane = lanes, lane

    async def __aenter__(self) -> None:
        await self._lanes._enter(self._lane)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lanes._leave(self._lane)
