"""The watchdog, with real processes."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from controlplane.callserver.watchdog import Watchdog, watch
from tests.still_time import StillTime

PROGRAM = """
import asyncio, sys
from controlplane.callserver.watchdog import Watchdog
async def main():
    dog = Watchdog(patience_s={patience_s})
    await dog.start()
    print("watched", flush=True)
    {then}
asyncio.run(main())
"""


def run(then: str, patience_s: float) -> subprocess.Popen[str]:
    """A process that is watched, and does this."""
    program = PROGRAM.format(then=then, patience_s=patience_s)
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def test_a_process_whose_loop_hangs_is_killed() -> None:
    with run("import time; time.sleep(600)", patience_s=0.5) as process:
        assert process.wait() == -signal.SIGKILL


def test_a_stopped_process_is_killed() -> None:
    with run("await asyncio.sleep(600)", patience_s=0.5) as process:
        os.kill(process.pid, signal.SIGSTOP)
        assert process.wait() == -signal.SIGKILL


def test_a_process_that_ends_in_time_is_left_alone() -> None:
    with run("pass", patience_s=600) as process:
        assert process.wait() == 0


def test_a_watcher_that_ends_is_replaced() -> None:
    """Whatever ended it (a machine short of memory), its process would go on unwatched."""
    then = "await asyncio.sleep(0.1); import os, time; os.kill({watcher}, 9); await asyncio.sleep(2); time.sleep(600)"
    with run(then.format(watcher="dog._process.pid"), patience_s=0.5) as process:
        assert process.wait() == -signal.SIGKILL


async def test_a_loop_that_goes_on_beats_twice_a_second(time: StillTime, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, pipe = os.pipe()
    dog = Watchdog()
    with os.fdopen(pipe, "wb", buffering=0) as loop:
        monkeypatch.setattr(dog, "_process", SimpleNamespace(stdin=loop))
        beating = asyncio.create_task(dog._beat())
        await time.move(2)
        beating.cancel()

        assert os.read(heard, 100) == b"....."
    os.close(heard)


class Crowded(Watchdog):
    """On a machine that has no place for another process at first."""

    refusals = 2

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.refusals -= 1
        if self.refusals >= 0:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return super()._spawn()


async def test_a_watcher_for_which_there_is_no_place_is_started_when_there_is(time: StillTime) -> None:
    dog = Crowded()
    spawning = asyncio.create_task(dog._spawned_at_last())
    await time.move(2)
    process = await spawning
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait() == 0


@pytest.fixture
def someone() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as process:
        yield process
        process.kill()


def test_each_beat_buys_as_much_time_again(someone: subprocess.Popen[bytes]) -> None:
    beats, loop = os.pipe()
    waits_s: list[float] = []

    def comes_within(pipe: int, seconds: float) -> bool:
        waits_s.append(seconds)
        if len(waits_s) <= 20:
            os.write(loop, b".")
            return True
        os.close(loop)
        return True

    watch(beats, someone.pid, 5.0, comes_within, lambda _: 0.0)
    os.close(beats)

    assert (waits_s, someone.poll()) == ([5.0] * 21, None)


def test_a_beat_that_does_not_come_is_the_end_and_that_is_told(
    someone: subprocess.Popen[bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    waits_s: list[float] = []

    def comes_within(pipe: int, seconds: float) -> bool:
        waits_s.append(seconds)
        return False

    watch(0, someone.pid, 5.0, comes_within, lambda _: 0.0)

    assert (waits_s, someone.wait()) == ([5.0], -signal.SIGKILL)
    told = json.loads(capsys.readouterr().err)
    assert (told["level"], told["event"], told["pid"]) == ("critical", "loop_stuck", someone.pid)


@pytest.mark.parametrize(
    ("starved_s", "waited_s"),
    [
        ([10.0, 10.3], [5.0]),  # it waited for a processor for a moment only
        ([10.0, 14.0, 16.0, 16.1], [5.0, 4.0, 2.0]),
        ([10.0 + 5 * times for times in range(7)], [5.0] * 6),  # it never has a turn: others go on with its calls
    ],
)
def test_time_in_which_it_had_no_processor_is_given_to_a_process_again(
    someone: subprocess.Popen[bytes], starved_s: list[float], waited_s: list[float]
) -> None:
    waits_s: list[float] = []
    told = iter(starved_s)

    def comes_within(pipe: int, seconds: float) -> bool:
        waits_s.append(seconds)
        return False

    watch(0, someone.pid, 5.0, comes_within, lambda _: next(told))

    assert (waits_s, someone.wait()) == (waited_s, -signal.SIGKILL)
