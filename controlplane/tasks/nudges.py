"""Telling workers that there is work: by the broker, or without it.

Where the broker is away, whoever would have told does the work itself, one task of a kind at a time: what a broker adds
is that many workers share the work, and nothing is to be late because there is none. A broker may also take what it is
told and pass nothing on (it hangs behind an open connection, or refuses our consumer): a worker that hears nothing of a
kind for long does that itself as well. Should the broker be well and others have heard, that does no harm.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from controlplane.tasks.app import BrokerAway, Task
from controlplane.tasks.sending import Sender

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Nudges:
    """Of one worker, with what it does under which name.

    `silent_after_s` says for each name how long the broker may pass nothing on; a name that is not there is not missed.
    """

    sender: Sender
    tasks: Mapping[str, Task]
    silent_after_s: Mapping[str, float] = field(default_factory=dict)
    now_s: Callable[[], float] = monotonic
    _away: bool = False
    _silent: set[str] = field(default_factory=set)
    _heard_s: dict[str, float] = field(default_factory=dict)
    _under_way: dict[str, asyncio.Task[int]] = field(default_factory=dict)

    def heard(self) -> Mapping[str, Task]:
        """The tasks as the broker is to call them, so that it is known when it last did."""
        return {name: self._hearing(name, task) for name, task in self.tasks.items()}

    async def tell(self, name: str) -> None:
        """Say that there is work of a kind, or begin it."""
        is_silent = self._is_silent(name)
        try:
            await self.sender.send(name)
            self._is_away(None)
        except BrokerAway as error:
            self._is_away(error)
        if (self._away or is_silent) and name not in self._under_way:
            self._under_way[name] = task = asyncio.create_task(self.tasks[name](), name=name)
            task.add_done_callback(self._done)

    def _hearing(self, name: str, task: Task) -> Task:
        async def heard() -> int:
            self._heard_s[name] = self.now_s()
            try:
                return await task()
            finally:
                self._heard_s[name] = self.now_s()

        return heard

    def _is_silent(self, name: str) -> bool:
        """Say whether the broker has passed nothing of a kind on for long, and tell of it when that changes."""
        now_s = self.now_s()
        heard_s = self._heard_s.setdefault(name, now_s)  # there was nothing to hear before the first was told
        is_silent = now_s - heard_s >= self.silent_after_s.get(name, float("inf"))
        if is_silent and name not in self._silent:
            self._silent.add(name)
            log.warning("broker_silent", extra={"task": name, "after_s": round(now_s - heard_s, 1)})
        if not is_silent and name in self._silent:
            self._silent.discard(name)
            log.info("broker_heard", extra={"task": name})
        return is_silent

    def _is_away(self, error: BrokerAway | None) -> None:
        """Tell of it when it changes: there are many nudges a second."""
        if error is not None and not self._away:
            cause = error.__cause__ or error
            log.warning("broker_away", extra={"problem": f"{type(cause).__name__}: {cause}"})
        if error is None and self._away:
            log.info("broker_back")
        self._away = error is not None

    async def finish(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _done(self, task: asyncio.Task[int]) -> None:
        del self._under_way[task.get_name()]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_broke", exc_info=error, extra={"task": task.get_name()})
