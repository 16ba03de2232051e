"""Child processes under one parent: started one after the other, watched, stopped in the reverse order.

    async with Supervisor(print_line) as supervisor:
        supervisor.obey_signals()
        facts = await supervisor.start(Child("api", argv))     # answers when the child is ready
        await supervisor.wait()                                # until someone asks to stop, or a child ends

A child that ends unasked is started again as often as it says (restarting.py): the others, and what they have in hand,
need not end with it. One that may not be, or was never ready, ends them all, and `ChildEnded` says which. Leaving the
block stops every child: its signal, its time, then SIGKILL to its group.

Each child leads a process group of its own, so that Ctrl-C in a terminal reaches the parent alone and the order holds.
Where util-linux is there, the kernel also ends the children of a parent that was killed (prctl PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

from controlplane.base.errors import CallplaneError
from controlplane.cli.lines import PipeReader, open_pipe
from controlplane.cli.restarting import Restarts

PROBE_PAUSE_S = 0.05
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
LAST_LINES_S = 1  # how long the lines of a dead child are waited for, where a grandchild holds its output open

Probe = Callable[[], Awaitable[bool]]
LineSink = Callable[[str, str], None]  # child's name, line


class ChildEnded(CallplaneError):
    """A process ended that should not have; its last lines above say why."""

    slug = "child-ended"


class NotReady(CallplaneError):
    """A process did not become ready in time; its last lines above say what it was doing."""

    slug = "child-not-ready"


class Stopped(CallplaneError):
    """Someone asked to stop."""

    slug = "stopped"


@dataclass(frozen=True, slots=True)
class Child:
    """One process to start.

    `environment` is added to ours. It is ready when `probe` answers True, or, without a probe, when it prints one
    JSON line `{"ready": …}`.
    """

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    probe: Probe | None = None
    ready_within_s: float = 60
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 10
    most_restarts: int = 0  # within a minute


@dataclass(slots=True)
class _Running:
    child: Child
    process: Process
    said_ready: asyncio.Future[object]
    pump: asyncio.Task[None]
    restarts: Restarts
    was_ready: bool = False
    watch: asyncio.Task[None] | None = None


class Supervisor:
    """Starts children and stops them; the order of `start` is the order of need."""

    def __init__(self, sink: LineSink) -> None:
        self._sink = sink
        self._running: list[_Running] = []
        self._over: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._is_stopping = False

    async def __aenter__(self) -> Supervisor:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop_all()

    async def start(self, child: Child) -> object:
        """Start a child and wait until it is ready; answers what stood under "ready", or True from a probe.

        Raises ChildEnded for this or an earlier child, NotReady after `ready_within_s`, Stopped if asked to.
        """
        self.go_on()
        running = await self._spawn(child)
        ready = running.said_ready if child.probe is None else asyncio.create_task(_probe(child.probe))
        try:
            await asyncio.wait({ready, self._over}, timeout=child.ready_within_s, return_when=asyncio.FIRST_COMPLETED)
            if ready.done():
                running.was_ready = True
                return ready.result()
        finally:
            ready.cancel()
        self.go_on()
        raise NotReady(None, name=child.name, after_s=child.ready_within_s)

    def go_on(self) -> None:
        """Raise Stopped if asked to stop, ChildEnded if a child ended."""
        if self._over.done():
            self._over.result()

    async def wait(self) -> None:
        """Wait until `ask_to_stop`; raises ChildEnded when a child ends before that."""
        with contextlib.suppress(Stopped):
            await asyncio.shield(self._over)

    def obey_signals(self) -> None:
        """Let SIGTERM and SIGINT ask to stop, until every child is stopped."""
        for number in _SIGNALS:
            asyncio.get_running_loop().add_signal_handler(number, self.ask_to_stop)

    def ask_to_stop(self) -> None:
        """End `wait` and `start`. Asked again while children are being stopped, it kills them at once."""
        if self._is_stopping:
            for running in self._running:
                _kill(running.process)
        if not self._over.done():
            self._over.set_exception(Stopped())
            self._over.exception()  # looked at: perhaps nobody waits for it yet

    def pid_of(self, name: str) -> int | None:
        """The process id of a child that was started and has not been stopped, or None."""
        return next((running.process.pid for running in self._running if running.child.name == name), None)

    async def _spawn(self, child: Child) -> _Running:
        if shutil.which(child.argv[0]) is None:
            raise ChildEnded(f"{child.name} cannot be started: {child.argv[0]} is no program")
        said_ready: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        process, pump = await self._launch(child, said_ready)
        running = _Running(child, process, said_ready, pump, Restarts(child.most_restarts))
        running.watch = asyncio.create_task(self._watch(running))
        self._running.append(running)
        if self._is_stopping:  # while this was being started everything else was stopped
            await _stop(running)
        return running

    async def _launch(self, child: Child, said_ready: asyncio.Future[object]) -> tuple[Process, asyncio.Task[None]]:
        # A pipe of our own: asyncio's would make `process.wait()` wait for grandchildren that hold it open, too.
        reader, write_end = await open_pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *_tied_to_us(), *child.argv, env={**os.environ, **child.environment},
                stdin=DEVNULL, stdout=write_end, stderr=STDOUT, process_group=0,
            )  # fmt: skip
        finally:
            os.close(write_end)
        return process, asyncio.create_task(self._pump(child, reader, said_ready))

    async def _pump(self, child: Child, reader: PipeReader, said_ready: asyncio.Future[object]) -> None:
        """Pass a child's lines on. Reading goes on whatever becomes of them: a full pipe would stop the child."""
        with contextlib.closing(reader):
            async for line in reader.lines():
                facts = None if said_ready.done() else _maybe_ready(line)
                if facts is None:
                    self._sink(child.name, line)
                else:
                    said_ready.set_result(facts)

    async def _watch(self, running: _Running) -> None:
        while True:
            how = _how(await running.process.wait())
            await asyncio.wait({running.pump}, timeout=LAST_LINES_S)
            if self._over.done():
                return
            pause_s = running.restarts.maybe_pause_s(asyncio.get_running_loop().time())
            if pause_s is None or not running.was_ready:
                self._over.set_exception(ChildEnded(None, name=running.child.name, how=how))
                return
            self._sink(running.child.name, f"ended ({how}), and is started again in {pause_s:g} s")
            await self._start_again(running, pause_s)

    async def _start_again(self, running: _Running, pause_s: float) -> None:
        _kill(running.process)  # whom it left behind
        running.pump.cancel()
        await asyncio.wait({self._over}, timeout=pause_s)
        if self._over.done():
            return
        running.process, running.pump = await self._launch(running.child, running.said_ready)
        if self._over.done():  # nobody else knows that there is one again
            _kill(running.process)

    async def _stop_all(self) -> None:
        self._is_stopping = True
        if not self._over.done():
            self._over.set_exception(Stopped())
        self._over.exception()  # looked at: nobody may be waiting for it any more
        while self._running:
            await _stop(self._running[-1])
            self._running.pop()
        for number in _SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)


def port_answers(host: str, port: int) -> Probe:
    """A probe: ready when something accepts a TCP connection there."""

    async def probe() -> bool:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            return False
        writer.close()
        return True

    return probe


async def _probe(probe: Probe) -> object:
    while not await probe():  # noqa: ASYNC110 - what is waited for happens in another process
        await asyncio.sleep(PROBE_PAUSE_S)
    return True


async def _stop(running: _Running) -> None:
    process, child = running.process, running.child
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(child.stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), child.stop_within_s)
    _kill(process)
    if running.watch is not None:
        await running.watch
    running.pump.cancel()
    await asyncio.wait({running.pump})


def _kill(process: Process) -> None:
    """SIGKILL to what is left of the child's process group, itself included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _tied_to_us() -> tuple[str, ...]:
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _maybe_ready(line: str) -> object | None:
    if not line.startswith("{"):
        return None
    try:
        facts = json.loads(line)
    except ValueError:
        return None
    return facts.get("ready") if isinstance(facts, dict) else None


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
