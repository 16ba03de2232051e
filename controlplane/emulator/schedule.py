"""Things to be done at a time, in groups (switch_scheduler.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from controlplane.emulator.clock import Timer, Timers


@dataclass(slots=True)
class Task:
    """Something scheduled, as `show tasks` lists it. `group` is a channel's UUID, `at_s` seconds since the epoch."""

    id: int
    group: str
    description: str
    at_s: int
    timer: Timer


class Schedule:
    """The tasks of a node. Times are whole seconds of the clock, so that a task may come up to a second early."""

    def __init__(self, clock: Timers) -> None:
        self._clock = clock
        self._groups: dict[str, dict[int, Task]] = {}
        self._last_id = 0

    def __iter__(self) -> Iterator[Task]:
        return (task for tasks in self._groups.values() for task in tasks.values())

    def add(self, group: str, description: str, in_s: int, run: Callable[[], None]) -> None:
        """Run something in `in_s` seconds."""
        self._last_id += 1
        task_id = self._last_id
        now_ms = self._clock.now_ms()
        at_s = now_ms // 1000 + in_s
        at_ms = self._clock.monotonic_ms() + at_s * 1000 - now_ms

        def due() -> None:
            self._forget(group, task_id)
            run()

        task = Task(task_id, group, description, at_s, self._clock.call_at_ms(at_ms, due))
        self._groups.setdefault(group, {})[task_id] = task

    def drop(self, group: str) -> int:
        """Forget all tasks of a group; answers how many there were."""
        gone = self._groups.pop(group, {})
        for task in gone.values():
            task.timer.cancel()
        return len(gone)

    def clear(self) -> None:
        """Forget all."""
        for group in list(self._groups):
            self.drop(group)

    def _forget(self, group: str, task_id: int) -> None:
        tasks = self._groups.get(group, {})
        tasks.pop(task_id, None)
        if not tasks:
            self._groups.pop(group, None)
