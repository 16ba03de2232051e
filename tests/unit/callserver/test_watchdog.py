"""The watchdog, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

PROGRAM = """
import asyncio, sys
from controlplane.callserver.watchdog import Watchdog
async def main():
    await Watchdog(patience_s=0.8).start()
    print("watched", flush=True)
    {then}
asyncio.run(main())
"""


def run(then: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(then=then)], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "watched\n"
    return process


def test_a_process_whose_loop_hangs_is_killed() -> None:
    with run("import time; time.sleep(60)") as process:
        assert process.wait(timeout=20) == -signal.SIGKILL


def test_a_stopped_process_is_killed() -> None:
    with run("await asyncio.sleep(60)") as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert process.wait(timeout=20) == -signal.SIGKILL


def test_a_process_that_lives_longer_than_the_patience_is_left_alone() -> None:
    with run("await asyncio.sleep(2)") as process:
        assert process.wait(timeout=20) == 0
