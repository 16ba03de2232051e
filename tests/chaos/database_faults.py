"""What can befall PostgreSQL besides being stopped, and what comes on top of that."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.chaos.bounds import FOLLOWS_S, RESTARTS_S, THAWS_S, WRITES_AGAIN_S
from tests.chaos.database import DatabaseServer
from tests.chaos.ledger.spools import read_spool
from tests.chaos.programs import children_of, signal_each, wake
from tests.chaos.running import LOOK_S, Run, Seen
from tests.chaos.site import SERVERS
from tests.chaos.windows import Was

INTO_THE_CALL_S = 1.0
SUPERVISOR_S = 0.5
SPOOLS_WITHIN_S = 5.0
PIECE_BYTES = 100  # less than any entry has
ROOM_BYTES = 1_501  # no multiple of anything, and less than two entries


async def hang_postgres(run: Run) -> None:
    """PostgreSQL takes connections and does not answer."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    stopped = _processes_of(run.site.database)
    signal_each(stopped, signal.SIGSTOP)  # a session may end at any time
    try:
        await asyncio.sleep(run.lasting_s(8.0))
    finally:
        wake(stopped)
    run.windows.add(at_s, time.time() + WRITES_AGAIN_S, Was.UNWRITABLE)
    run.heal()


async def cut_off(run: Run) -> None:
    """The marked call's server is cut off from PostgreSQL, it alone: it hears nothing any more, and is told nothing.

    What it put on its disk meanwhile is of no use when others went on with its calls.
    """
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    way = run.site.ways[run.driver]
    way.cut()
    await asyncio.sleep(run.lasting_s(12.0, 30.0))
    way.mend()
    mended_s = time.time()
    what = "somebody who drives the call, with PostgreSQL there for all"
    end_s = await run.recover(run.driven(mended_s), mended_s, THAWS_S, what)
    run.windows.add(at_s, end_s, Was.UNSEEN)
    run.windows.add(at_s, mended_s, Was.FORKED)
    run.heal()


async def kill_without_postgres(run: Run) -> None:
    """PostgreSQL is away, the marked call's server is killed meanwhile, and started again when it is back.

    It dies as it spools an entry, of which a piece is on the disk. Nobody can take its calls over before PostgreSQL is
    back.
    """
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    await run.site.database.halt()
    await asyncio.sleep(run.lasting_s(3.0, 30.0))
    frozen = run.driving.freeze()
    if not _tear(run.driving.pid):
        run.notes.append("nothing was spooled that could be torn")
    killed_at_s = run.kill_driver()
    wake(frozen)  # its watchdog, which would stand still for ever
    await asyncio.sleep(SUPERVISOR_S)
    await run.site.database.go_on()
    back_s = time.time()
    what = "a call server, with PostgreSQL back"
    await run.recover_with(run.driving, since_s=back_s, within_s=RESTARTS_S, what=what)
    end_s = back_s + RESTARTS_S  # who is back first leaves the others' calls to them for a while (balancing.py)
    run.windows.add(at_s, back_s + WRITES_AGAIN_S, Was.UNWRITABLE)
    run.windows.add(killed_at_s, end_s, Was.UNAVAILABLE, Was.UNSEEN)
    run.heal()


async def fill_disk(run: Run) -> None:
    """PostgreSQL is away, and the disk where journals spool becomes full in the middle of an entry."""
    await run.until_under_way(INTO_THE_CALL_S)
    at_s = run.strike()
    await run.site.database.halt()
    full_s = await _until_spooling(run)
    with _no_room(run):
        await asyncio.sleep(max(0.0, at_s + run.lasting_s(4.0, 30.0) - time.time()))
        await run.site.database.go_on()
    back_s = time.time()
    if not any("spool_refuses" in line for line in run.site.lines):
        run.notes.append("no entry met with the end of the disk")
    end_s = await run.recover(_nothing_waits(run), back_s, WRITES_AGAIN_S + FOLLOWS_S, "the end of what was spooled")
    run.windows.add(at_s, back_s + WRITES_AGAIN_S, Was.UNWRITABLE)
    run.windows.add(full_s, end_s, Was.UNAVAILABLE)
    run.heal()


async def _until_spooling(run: Run) -> float:
    """Wait until the marked call's server spools; answers when that was seen. Raises TimeoutError."""
    async with asyncio.timeout(SPOOLS_WITHIN_S):
        while not _segments(run.driving.pid):
            await asyncio.sleep(LOOK_S)  # another process does it
    return time.time()


def _nothing_waits(run: Run) -> Seen:
    async def seen() -> bool:
        return not any(file for file in read_spool(run.site.folder / "spool") if not file.is_aside)

    return seen


@contextmanager
def _no_room(run: Run) -> Iterator[None]:
    """No file of a call server may grow much: the kernel's answer is another error than a full disk's, at one place.

    What there is room for is no whole number of entries, so the last one is torn.
    """
    pids = [program.pid for name in SERVERS if (program := run.site.programs[name]).is_running]
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (max(_segments(pid).values(), default=0) + ROOM_BYTES, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)


def _tear(pid: int) -> bool:
    """Let what a process spools end in a piece of an entry: the first is there once more, as far as PIECE_BYTES."""
    segments = _segments(pid)
    for path in segments:
        with path.open("r+b") as file:
            piece = file.read(PIECE_BYTES)
            file.seek(0, os.SEEK_END)
            file.write(piece)
    return bool(segments)


def _segments(pid: int) -> dict[Path, int]:
    """The files that a process spools to, and how many bytes each has."""
    found: dict[Path, int] = {}
    for opened in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            path = opened.readlink()
            if path.suffix == ".entries":
                found[path] = path.stat().st_size
    return found


def _processes_of(server: DatabaseServer) -> list[int]:
    postmaster = int((server.server.folder / "data" / "postmaster.pid").read_text().split()[0])
    return [postmaster, *children_of(postmaster)]
