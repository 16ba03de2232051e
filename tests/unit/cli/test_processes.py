"""The supervisor with real child processes, each a few lines of Python."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane.cli.processes import (
    Child,
    ChildEnded,
    NotReady,
    Stopped,
    Supervisor,
    port_answers,
)

ROOT = Path(__file__).parents[3]
READY = "print('{\"ready\": 1}', flush=True)\n"
UNTIL_TOLD = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit('told'))\n" + READY + "signal.pause()\n"
STUBBORN = "import signal\nsignal.signal(15, signal.SIG_IGN)\n" + READY + "while True: signal.pause()\n"


def child(name: str, script: str, **more: float) -> Child:
    return Child(name, (sys.executable, "-c", script), stop_within_s=more.get("stop_within_s", 10), ready_within_s=20)


def is_alive(pid: int | None) -> bool:
    return pid is not None and Path(f"/proc/{pid}").exists()


class Lines(list[tuple[str, str]]):
    def __call__(self, name: str, line: str) -> None:
        self.append((name, line))
        self.came.set()

    def __init__(self) -> None:
        super().__init__()
        self.came = asyncio.Event()

    async def until(self, wanted: tuple[str, str]) -> None:
        async with asyncio.timeout(30):
            while wanted not in self:
                self.came.clear()
                await self.came.wait()


async def test_start_answers_what_the_child_says_about_itself() -> None:
    async with Supervisor(Lines()) as supervisor:
        script = 'import signal; print(\'{"ready": {"port": 7}}\', flush=True); signal.pause()'
        assert await supervisor.start(child("a", script)) == {"port": 7}


async def test_lines_of_both_streams_are_passed_on_but_the_ready_line() -> None:
    lines = Lines()
    script = "import sys\nprint('{} out', flush=True)\nprint('err', file=sys.stderr, flush=True)\n" + UNTIL_TOLD
    async with Supervisor(lines) as supervisor:
        await supervisor.start(child("a", script))
    assert sorted(lines) == [("a", "err"), ("a", "told"), ("a", "{} out")]


async def test_a_child_gets_the_environment_it_was_given() -> None:
    script = "import os, signal; print('{\"ready\": \"' + os.environ['X'] + '\"}', flush=True); signal.pause()"
    async with Supervisor(Lines()) as supervisor:
        started = Child("a", (sys.executable, "-c", script), {"X": "given"})
        assert await supervisor.start(started) == "given"


async def test_children_are_stopped_in_the_reverse_order_of_their_start() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        for name in ("a", "b", "c"):
            await supervisor.start(child(name, UNTIL_TOLD))
    assert lines == [("c", "told"), ("b", "told"), ("a", "told")]


async def test_a_port_that_answers_is_ready() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = f"import socket, signal; s = socket.create_server(('127.0.0.1', {port})); signal.pause()"
    async with Supervisor(Lines()) as supervisor:
        started = Child("a", (sys.executable, "-c", script), probe=port_answers("127.0.0.1", port))
        assert await supervisor.start(started) is True


async def test_a_child_that_dies_at_its_start_is_named_with_its_exit_code() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        with pytest.raises(ChildEnded) as error:
            await supervisor.start(child("a", "import sys; sys.exit('no disk')"))
    assert error.value.facts == {"name": "a", "how": "exit code 1"}
    assert lines == [("a", "no disk")]


async def test_a_program_that_is_not_there_is_named() -> None:
    async with Supervisor(Lines()) as supervisor:
        with pytest.raises(ChildEnded, match="a cannot be started: /no/such is no program"):
            await supervisor.start(Child("a", ("/no/such",)))


async def test_when_one_child_dies_wait_says_which_and_the_others_are_stopped() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        await supervisor.start(child("a", UNTIL_TOLD))
        await supervisor.start(child("b", UNTIL_TOLD))
        other = supervisor.pid_of("a")
        os.kill(supervisor.pid_of("b") or 0, signal.SIGKILL)
        with pytest.raises(ChildEnded) as error:
            await supervisor.wait()
    assert error.value.facts == {"name": "b", "how": "signal SIGKILL"}
    assert lines == [("a", "told")]
    assert not is_alive(other)


async def test_a_child_that_may_be_is_started_again_and_the_others_go_on() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        await supervisor.start(child("a", UNTIL_TOLD))
        await supervisor.start(replace(child("b", UNTIL_TOLD), most_restarts=1))
        first, other = supervisor.pid_of("b"), supervisor.pid_of("a")
        os.kill(first or 0, signal.SIGKILL)
        await lines.until(("b", '{"ready": 1}'))
        assert supervisor.pid_of("b") != first
        assert supervisor.pid_of("a") == other
        supervisor.go_on()
    assert lines == [
        ("b", "ended (signal SIGKILL), and is started again in 0.2 s"),
        ("b", '{"ready": 1}'),
        ("b", "told"),
        ("a", "told"),
    ]


async def test_a_child_that_goes_on_ending_ends_them_all() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        await supervisor.start(replace(child("a", READY), most_restarts=2))
        with pytest.raises(ChildEnded) as error:
            await supervisor.wait()
    assert error.value.facts == {"name": "a", "how": "exit code 0"}
    assert [line for _, line in lines if line.startswith("ended")] == [
        "ended (exit code 0), and is started again in 0.2 s",
        "ended (exit code 0), and is started again in 0.5 s",
    ]


async def test_a_child_that_was_never_ready_is_not_started_again() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        with pytest.raises(ChildEnded):
            await supervisor.start(replace(child("a", "import sys; sys.exit('no disk')"), most_restarts=5))
    assert lines == [("a", "no disk")]


async def test_nothing_is_started_again_while_everything_is_stopped() -> None:
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        await supervisor.start(replace(child("a", READY), most_restarts=5))
        await lines.until(("a", "ended (exit code 0), and is started again in 0.2 s"))
        await lines.until(("a", "ended (exit code 0), and is started again in 0.5 s"))
        last = supervisor.pid_of("a")
    assert not is_alive(last)
    assert len([line for _, line in lines if line.startswith("ended")]) == 2


async def test_a_child_that_ends_well_unasked_is_missed_all_the_same() -> None:
    async with Supervisor(Lines()) as supervisor:
        await supervisor.start(child("a", READY))
        with pytest.raises(ChildEnded) as error:
            await supervisor.wait()
    assert error.value.facts == {"name": "a", "how": "exit code 0"}


async def test_a_child_that_is_never_ready_is_given_up_and_stopped() -> None:
    async with Supervisor(Lines()) as supervisor:
        slow = Child("a", (sys.executable, "-c", "import signal; signal.pause()"), ready_within_s=0.2)
        with pytest.raises(NotReady):
            await supervisor.start(slow)
        pid = supervisor.pid_of("a")
        assert is_alive(pid)
    assert not is_alive(pid)


async def test_a_child_that_does_not_obey_is_killed_after_its_time() -> None:
    async with Supervisor(Lines()) as supervisor:
        await supervisor.start(child("a", STUBBORN, stop_within_s=0.2))
        pid = supervisor.pid_of("a")
    assert not is_alive(pid)


async def test_grandchildren_go_with_a_child_that_left_them() -> None:
    script = (
        "import subprocess, sys, json, signal\n"
        "deaf = 'import signal; signal.signal(15, signal.SIG_IGN); signal.pause()'\n"
        "p = subprocess.Popen([sys.executable, '-c', deaf])\n"
        "print(json.dumps({'ready': p.pid}), flush=True)\nsignal.pause()\n"
    )
    async with Supervisor(Lines()) as supervisor:
        grandchild = await supervisor.start(child("a", script))
        assert isinstance(grandchild, int)
    await gone(grandchild)


async def test_asking_to_stop_ends_wait_quietly_and_start_with_stopped() -> None:
    async with Supervisor(Lines()) as supervisor:
        await supervisor.start(child("a", UNTIL_TOLD))
        supervisor.ask_to_stop()
        await supervisor.wait()
        with pytest.raises(Stopped):
            await supervisor.start(Child("b", (sys.executable, "-c", "import signal; signal.pause()")))


async def test_asking_twice_kills_what_does_not_obey() -> None:
    supervisor = Supervisor(Lines())
    await supervisor.start(child("a", STUBBORN, stop_within_s=600))
    leaving = asyncio.create_task(supervisor.__aexit__(None, None, None))
    await asyncio.sleep(0)
    supervisor.ask_to_stop()
    await leaving
    assert supervisor.pid_of("a") is None


async def test_sigterm_asks_to_stop() -> None:
    async with Supervisor(Lines()) as supervisor:
        supervisor.obey_signals()
        await supervisor.start(child("a", UNTIL_TOLD))
        os.kill(os.getpid(), signal.SIGTERM)
        await supervisor.wait()


async def test_a_child_whose_lines_nobody_takes_is_not_held_up() -> None:
    script = "print('x' * 5_000_000, flush=True)\n" + UNTIL_TOLD
    lines = Lines()
    async with Supervisor(lines) as supervisor:
        await supervisor.start(child("a", script))
    assert sum(len(line) for _, line in lines if set(line) == {"x"}) == 5_000_000


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux)")
async def test_children_do_not_outlive_a_parent_that_was_killed() -> None:
    script = f"""
        import asyncio, sys
        from controlplane.cli.processes import Child, Supervisor
        async def main():
            async with Supervisor(lambda name, line: None) as supervisor:
                await supervisor.start(Child("a", (sys.executable, "-c", {UNTIL_TOLD!r})))
                print(supervisor.pid_of("a"), flush=True)
                await supervisor.wait()
        asyncio.run(main())
    """
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(script), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert is_alive(pid)
    parent.kill()
    await parent.wait()
    await gone(pid)


async def gone(pid: int) -> None:
    """Wait until a process that is not our child has ended (or is a zombie that nobody reaps)."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            await asyncio.sleep(0.01)
