"""Processes that can be killed, stopped for a while and started again."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from controlplane.cli.processes import Child, LineSink, Probe, Supervisor


@dataclass(slots=True)
class Program:
    """One of them. `environment` may be changed; it holds from the next start on."""

    name: str
    argv: tuple[str, ...]
    sink: LineSink
    environment: Mapping[str, str] = field(default_factory=dict)
    probe: Probe | None = None
    _supervisor: Supervisor | None = None
    _pid: int | None = None

    @property
    def is_running(self) -> bool:
        """Say whether it was started and nobody killed it."""
        return self._pid is not None

    async def start(self) -> None:
        """Start it, again if it was killed; answers when it is ready."""
        await self._reap()
        self._supervisor = Supervisor(self.sink)
        await self._supervisor.start(Child(self.name, self.argv, self.environment, probe=self.probe))
        self._pid = self._supervisor.pid_of(self.name)

    def kill(self) -> None:
        """End it, and what it started, without a warning."""
        if self._pid is not None:
            self._signal(signal.SIGKILL)
            self._pid = None

    def freeze(self) -> None:
        """Let it do nothing until it is woken."""
        self._signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._pid = None
        await self._reap()

    async def _reap(self) -> None:
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            await supervisor.__aexit__(None, None, None)

    def _signal(self, number: signal.Signals) -> None:
        assert self._pid is not None, f"{self.name} does not run"
        with suppress(ProcessLookupError):
            os.killpg(self._pid, number)
