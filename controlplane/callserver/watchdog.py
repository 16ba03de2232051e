"""A second process that ends a call server whose loop is stuck.

A call server that is stopped (SIGSTOP, a frozen container) or hangs would not read its event links, and a node whose
events nobody reads freezes in the end (ARCHITECTURE.md). Nothing inside the process is sure to notice,
so a small process beside it waits for a beat on a pipe, and kills when it does not come, which it tells in the log.
The kernel then closes the links, the shards are free, and the next server has the calls.

A process that gets no turn on a crowded machine is not stuck, and to start it again would take many turns: time that it
waited for a processor is given to it again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

log = logging.getLogger(__name__)

BEAT_S = 0.5
PATIENCE_S = 5.0
_MOST_TIMES = 6  # that somebody who only waits for a processor is waited for


class Watchdog:
    """Beats from the event loop; its other half kills this process when the beat stops, and is replaced if it ends."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to be watched."""
        self._process = self._spawn()
        self._task = asyncio.create_task(self._beat(), name="watchdog")

    async def stop(self) -> None:
        """Be watched no more."""
        if self._task is not None:
            self._task.cancel()
        if self._process is not None:
            _pipe(self._process).close()
            await asyncio.to_thread(self._process.wait)

    def _spawn(self) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-m", __name__, str(os.getpid()), str(self._patience_s)]
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
        os.set_blocking(_pipe(process).fileno(), False)
        return process

    async def _beat(self) -> None:
        while self._process is not None:
            if not beat(_pipe(self._process).fileno()):
                log.warning("watchdog_ended", extra={"code": self._process.poll()})
                _pipe(self._process).close()
                self._process = await self._spawned_at_last()
            await asyncio.sleep(BEAT_S)

    async def _spawned_at_last(self) -> subprocess.Popen[bytes]:
        """Another watcher, however long the machine has no place for one."""
        while True:
            try:
                return self._spawn()
            except OSError as error:
                log.error("unwatched", extra={"problem": str(error)})
                await asyncio.sleep(BEAT_S)


def beat(pipe: int) -> bool:
    """Say that the loop goes on; answers whether somebody listens."""
    try:
        os.write(pipe, b".")
    except BlockingIOError:
        return True  # the watcher is slow, and has beats enough waiting
    except BrokenPipeError:
        return False
    return True


def _pipe(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdin is not None
    return process.stdin


def watch(
    beats: int,
    pid: int,
    patience_s: float,
    comes_within: Callable[[int, float], bool],
    starved_s: Callable[[int], float],
) -> None:
    """Kill `pid` when nothing comes over `beats`, a pipe, for `patience_s` seconds; end when it closes.

    `starved_s` says how long a process has waited for a processor since it began.
    """
    while _comes(beats, pid, patience_s, comes_within, starved_s):
        if not os.read(beats, 4096):
            return
    _tell(pid, patience_s)
    os.kill(pid, signal.SIGKILL)


def _comes(
    beats: int,
    pid: int,
    patience_s: float,
    comes_within: Callable[[int, float], bool],
    starved_s: Callable[[int], float],
) -> bool:
    before_s = starved_s(pid)
    for _ in range(_MOST_TIMES):
        if comes_within(beats, patience_s):
            return True
        now_s = starved_s(pid)
        patience_s, before_s = now_s - before_s, now_s
        if patience_s < BEAT_S:
            return False
    return False


def _tell(pid: int, patience_s: float) -> None:
    """Write a line as metrics/logs.py does: nothing else says why the process is gone."""
    told = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": "critical", "event": "loop_stuck",
        "pid": pid, "after_s": patience_s,
    }  # fmt: skip
    sys.stderr.write(json.dumps(told) + "\n")
    sys.stderr.flush()


def _comes_within(pipe: int, seconds: float) -> bool:
    ready, _, _ = select.select([pipe], [], [], seconds)
    return bool(ready)


def _starved_s(pid: int) -> float:
    """Of its main thread, where the loop is (Linux, Documentation/scheduler/sched-stats.rst); 0 if nobody tells."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the one that is watched
    watch(sys.stdin.fileno(), int(sys.argv[1]), float(sys.argv[2]), _comes_within, _starved_s)
