"""A second process that ends a call server whose loop is stuck.

A call server that is stopped (SIGSTOP, a frozen container) or hangs would not read its event links, and a node whose
events nobody reads freezes in the end (reliability-security, 0.1). Nothing inside the process is sure to notice,
so a small process beside it waits for a beat on a pipe, and kills when it does not come. The kernel then closes the
links, the shards are free, and the next server has the calls.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable

BEAT_S = 0.5
PATIENCE_S = 5.0


class Watchdog:
    """Beats from the event loop; its other half kills this process when the beat stops."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to be watched."""
        arguments = [sys.executable, "-m", __name__, str(os.getpid()), str(self._patience_s)]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603, ASYNC220
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._task = asyncio.create_task(self._beat(self._process.stdin.fileno()), name="watchdog")

    async def stop(self) -> None:
        """Be watched no more."""
        if self._task is not None:
            self._task.cancel()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            await asyncio.to_thread(self._process.wait)

    async def _beat(self, pipe: int) -> None:
        while True:
            try:
                os.write(pipe, b".")
            except BlockingIOError:
                pass  # the watcher is slow, and has beats enough waiting
            except BrokenPipeError:
                return
            await asyncio.sleep(BEAT_S)


def watch(beats: int, pid: int, patience_s: float, comes_within: Callable[[int, float], bool]) -> None:
    """Kill `pid` when nothing comes over `beats`, a pipe, for `patience_s` seconds; end when it closes."""
    while comes_within(beats, patience_s):
        if not os.read(beats, 4096):
            return
    os.kill(pid, signal.SIGKILL)


def _comes_within(pipe: int, seconds: float) -> bool:
    ready, _, _ = select.select([pipe], [], [], seconds)
    return bool(ready)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the one that is watched
    watch(sys.stdin.fileno(), int(sys.argv[1]), float(sys.argv[2]), _comes_within)
