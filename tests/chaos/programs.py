"""Processes that can be killed, stopped for a while and started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.cli.processes import Child, ChildEnded, LineSink, Probe, Supervisor


@dataclass(slots=True)
class Program:
    """One of them. `extra` comes on top of `environment`, and may be changed: it holds from the next start on."""

    name: str
    argv: tuple[str, ...]
    sink: LineSink
    environment: Mapping[str, str] = field(default_factory=dict)
    probe: Probe | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    _supervisor: Supervisor | None = None
    _pid: int | None = None

    @property
    def is_running(self) -> bool:
        """Say whether it was started, and neither killed nor stopped since; it may have ended all the same."""
        return self._pid is not None

    @property
    def ended_by_itself(self) -> str:
        """How it ended if nobody killed it; "" if it did not."""
        try:
            if self._supervisor is not None and self.is_running:
                self._supervisor.go_on()
        except ChildEnded as ended:
            return str(ended.facts["how"])
        return ""

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._pid is not None, f"{self.name} does not run"
        return self._pid

    async def start(self) -> None:
        """Start it, again if it was killed; answers when it is ready."""
        await self._reap()
        self._supervisor = Supervisor(self.sink)
        await self._supervisor.start(Child(self.name, self.argv, {**self.environment, **self.extra}, probe=self.probe))
        self._pid = self._supervisor.pid_of(self.name)

    def kill(self) -> None:
        """End it, and what it started, without a warning."""
        pid, self._pid = self._pid, None
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def freeze(self) -> list[int]:
        """Let it do nothing until it is woken, nor what it started; answers the processes, to be woken."""
        assert self._pid is not None, f"{self.name} does not run"
        frozen = [self._pid, *children_of(self._pid)]
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        return frozen

    def signal_all(self, number: signal.Signals) -> None:
        """Send a signal to it and whatever it started."""
        os.killpg(self.pid, number)

    async def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._pid = None
        await self._reap()

    async def _reap(self) -> None:
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            await supervisor.__aexit__(None, None, None)


def wake(pids: Iterable[int]) -> None:
    """Let frozen processes go on, those that are still there."""
    signal_each(pids, signal.SIGCONT)


def signal_each(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to processes, those that are still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def children_of(pid: int) -> list[int]:
    """What a process started and is still there (Linux, proc(5))."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
