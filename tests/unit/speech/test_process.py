"""An engine is a process with as little as possible. The engines here are lines of Python."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from controlplane.speech.process import DEFAULT_BOUNDS, Bounds, run_engine
from controlplane.speech.utterance import INTERNAL, TOO_LONG, SpeechFailed


def program(line: str) -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os, sys, time\n{line}", "{out}")


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_text_goes_in_and_the_file_comes_out() -> None:
    echo = program("open(sys.argv[1], 'wb').write(sys.stdin.buffer.read()[::-1])")

    assert await run_engine(echo, b"abc" * 20_000, DEFAULT_BOUNDS) == b"cba" * 20_000


async def test_nothing_of_our_environment_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLPLANE_SECRET_KEY", "secret")
    show = program("open(sys.argv[1], 'w').write(' '.join(sorted(k for k in os.environ if k != 'LC_CTYPE')))")

    assert await run_engine(show, b"", DEFAULT_BOUNDS) == b"LANG PATH"


async def test_a_program_that_takes_too_long_is_ended() -> None:
    with pytest.raises(SpeechFailed, match=r"longer than 0.3 s") as caught:
        await run_engine(program("time.sleep(60)"), b"", Bounds(time_s=0.3))

    assert caught.value.code == TOO_LONG


async def test_what_the_program_started_is_ended_with_it(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    os.mkfifo(pid_file)
    line = f"""
if os.fork() == 0:
    open({str(pid_file)!r}, "w").write(str(os.getpid()))
    time.sleep(600)
time.sleep(600)
"""
    task = asyncio.create_task(run_engine(program(line), b"", DEFAULT_BOUNDS))
    pid = int(await asyncio.to_thread(pid_file.read_text))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    while is_running(pid):  # it is not our child: the kernel ends it in its own time
        await asyncio.sleep(0.01)


async def test_a_canceled_wait_ends_the_program(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    os.mkfifo(pid_file)
    line = f"open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    task = asyncio.create_task(run_engine(program(line), b"", DEFAULT_BOUNDS))
    pid = int(await asyncio.to_thread(pid_file.read_text))

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not is_running(pid)


async def test_a_program_that_writes_without_end_is_stopped() -> None:
    endless = program(
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n"
        "f = open(sys.argv[1], 'wb')\n"
        "while True: f.write(b'x' * 65536)"
    )

    with pytest.raises(SpeechFailed, match="too long") as caught:
        await run_engine(endless, b"", Bounds(output_bytes=1 << 20))

    assert caught.value.code == TOO_LONG


async def test_a_program_that_wants_too_much_memory_fails() -> None:
    with pytest.raises(SpeechFailed, match="ended with 1") as caught:
        await run_engine(program("sys.stdin.read(); x = bytearray(1 << 30)"), b"", Bounds(memory_bytes=256 << 20))

    assert caught.value.code == INTERNAL


async def test_a_program_that_never_stops_complaining_is_stopped() -> None:
    with pytest.raises(SpeechFailed, match="ended with"):
        await run_engine(program("while True: sys.stderr.write('x' * 65536)"), b"", Bounds(output_bytes=1 << 20))


async def test_a_failing_program_is_quoted() -> None:
    with pytest.raises(SpeechFailed, match="ended with 3: no such voice"):
        await run_engine(
            program("sys.stderr.write('no such voice'); sys.stderr.flush(); os._exit(3)"), b"x", DEFAULT_BOUNDS
        )


async def test_a_program_that_does_not_read_what_it_is_told_is_no_trouble() -> None:
    assert await run_engine(program("open(sys.argv[1], 'w').write('done')"), b"x" * 200_000, DEFAULT_BOUNDS) == b"done"


async def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(SpeechFailed, match="no-such-engine cannot be run: No such file"):
        await run_engine(("no-such-engine", "{out}"), b"", DEFAULT_BOUNDS)


async def test_no_file_descriptor_is_left_open() -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(SpeechFailed):
            await run_engine(program("sys.exit(1)"), b"", DEFAULT_BOUNDS)
    await asyncio.sleep(0)

    assert len(os.listdir("/proc/self/fd")) <= len(before) + 1


async def test_the_event_loop_goes_on_while_an_engine_speaks(tmp_path: Path) -> None:
    word = tmp_path / "word"
    os.mkfifo(word)
    waits_for_us = program(f"open(sys.argv[1], 'w').write(open({str(word)!r}).read())")

    speaking = asyncio.create_task(run_engine(waits_for_us, b"", DEFAULT_BOUNDS))
    await asyncio.to_thread(word.write_text, "go on")

    assert await speaking == b"go on"
