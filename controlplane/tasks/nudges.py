"""Telling workers that there is work: by the broker, or without it.

Where the broker is away, whoever would have told does the work itself, one task of a kind at a time: what a broker adds
is that many workers share the work, and nothing is to be late because there is none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.tasks.app import BrokerAway, CeleryApp, Task, nudge

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Nudges:
    """Of one worker, with what it does under which name."""

    app: CeleryApp
    tasks: Mapping[str, Task]
    _away: bool = False
    _under_way: dict[str, asyncio.Task[int]] = field(default_factory=dict)

    async def tell(self, name: str) -> None:
        """Say that there is work of a kind, or begin it."""
        try:
            await asyncio.to_thread(nudge, self.app, name)
            self._is_away(None)
        except BrokerAway as error:
            self._is_away(error)
            if name not in self._under_way:
                self._under_way[name] = task = asyncio.create_task(self.tasks[name](), name=name)
                task.add_done_callback(self._done)

    def _is_away(self, error: BrokerAway | None) -> None:
        """Tell of it when it changes: there are many nudges a second."""
        if error is not None and not self._away:
            log.warning("broker_away", extra={"problem": str(error.__cause__)})
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
