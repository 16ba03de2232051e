"""What can befall PostgreSQL besides being stopped, and what comes on top of that."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.chaos.database import DatabaseServer
from tests.chaos.running import Run, Was
from tests.chaos.site import SERVERS

INTO_THE_CALL_S = 1.0
SUPERVISOR_S = 0.5


def _lasting_s(run: Run, short_s: float, long_s: float = 60.0) -> float:
    return long_s if run.is_long else short_s


async def hang_postgres(run: Run) -> None:
    """PostgreSQL takes connections and does not answer."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    stopped = _processes_of(run.site.database)
    _signal(stopped, signal.SIGSTOP)
    await asyncio.sleep(_lasting_s(run, 8.0))
    _signal(stopped, signal.SIGCONT)
    run.heal(Was.UNWRITABLE)


async def cut_off(run: Run) -> None:
    """The marked call's server is cut off from PostgreSQL, it alone: it hears nothing any more, and is told nothing."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    way = run.site.ways[run.driver]
    way.cut()
    await asyncio.sleep(_lasting_s(run, 12.0, 30.0))
    way.mend()
    run.heal(Was.TAKEN_OVER)


async def kill_without_postgres(run: Run) -> None:
    """PostgreSQL is away, the marked call's server is killed meanwhile, and started again when it is back."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    await run.site.database.halt()
    await asyncio.sleep(_lasting_s(run, 3.0, 30.0))
    run.driving.kill()
    await asyncio.sleep(SUPERVISOR_S)
    await run.site.database.go_on()
    await run.driving.start()
    run.heal(Was.NOBODY_THERE, Was.UNSEEN, Was.UNWRITABLE)


async def fill_disk(run: Run) -> None:
    """PostgreSQL is away, and the disk where journals spool is full."""
    await run.until_under_way(INTO_THE_CALL_S)
    run.strike()
    with _no_room(run):
        await run.site.database.halt()
        await asyncio.sleep(_lasting_s(run, 4.0, 30.0))
        await run.site.database.go_on()
    run.heal(Was.NOBODY_THERE, Was.UNWRITABLE, Was.SPEECHLESS)


@contextmanager
def _no_room(run: Run) -> Iterator[None]:
    """No file of a call server may grow: what the kernel answers is another error than a full disk's, at the place."""
    pids = [program.pid for name in SERVERS if (program := run.site.programs[name]).is_running]
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def _processes_of(server: DatabaseServer) -> list[int]:
    postmaster = int((server.server.folder / "data" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # a session may end at any time
            os.kill(pid, number)
