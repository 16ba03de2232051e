"""The Recorder: one writer for all calls of a process, so that many calls share a commit.

Whoever has something to record submits it and awaits its commit. The writer takes all that waits into one
transaction, at once if any of it is urgent (something unrepeatable waits for it), else within `delay_s`. While one
commit is under way the next batch gathers, so the busier it is the more share a commit.

When PostgreSQL is away, what is submitted takes the detour over the disk (`detour.py`) and counts as recorded there.
Without a detour, or when its disk is full, it waits in memory, up to `most_waiting` records; what does not fit raises
RecorderFull at once.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, MutableSequence, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any

from psycopg import AsyncConnection

from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId
from controlplane.store.connecting import connect, cut, cut_after
from controlplane.store.detour import Detour
from controlplane.store.lost import Lost
from controlplane.store.records import JournalConflict, Record, RecordRefused
from controlplane.store.writing import AWAY, REFUSED, Conflicts, Twins, second_of_twins, write_records

log = logging.getLogger(__name__)

_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"
_RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # then the last for ever


class RecorderFull(Unavailable):
    """Too much waits to be recorded; the database has been away too long."""

    slug = "recorder-full"


class RecorderState(Enum):
    """Whether what is submitted reaches the database."""

    RECORDING = "recording"
    DATABASE_AWAY = "database-away"
    BROKEN = "broken"  # a defect of ours: nothing that waits is ever recorded
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    number: int  # in the order in which they came
    records: tuple[Record, ...]
    done: asyncio.Future[None]


class Recorder:
    """Group commit of journal entries and the rows that come of them. Start and stop it in one event loop."""

    def __init__(
        self,
        url: str,
        *,
        delay_s: float = 0.05,
        most_waiting: int = 20_000,
        most_at_once: int = 500,
        answer_timeout_s: float = 15.0,
        on_state: Callable[[RecorderState], None] = lambda _: None,
        detour: Detour | None = None,
    ) -> None:
        """A database that does not answer within `answer_timeout_s` is away: with a detour that may be soon."""
        self._url = url
        self._delay_s = delay_s
        self._most_waiting = most_waiting
        self._most_at_once = most_at_once
        self._answer_timeout_s = answer_timeout_s
        self._on_state = on_state
        self._detour = detour
        self._state = RecorderState.STOPPED
        self._is_given_up = False
        self._waiting: deque[_Waiting] = deque()
        self._waiting_records = 0
        self._count = 0
        self._lost = Lost()
        if detour is not None:
            detour.on_lost, detour.on_over = self._lost.lose, self._came_back
        self._work = asyncio.Event()
        self._hurry = asyncio.Event()
        self._connection: AsyncConnection[Any] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> RecorderState:
        """Whether what is submitted reaches the database."""
        return self._state

    @property
    def waiting(self) -> int:
        """Records submitted and not recorded."""
        return self._waiting_records

    @property
    def is_settled(self) -> bool:
        """Say whether everything that counts as recorded is in the database, for all to read."""
        return self._detour is None or not self._detour.is_open

    def is_settled_of(self, shards: frozenset[int]) -> bool:
        """Say the same of the calls of some shards."""
        return self._detour is None or not self._detour.shards & shards

    async def start(self) -> None:
        """Begin to write; does not wait for the database."""
        self._enter(RecorderState.RECORDING)
        self._task = asyncio.create_task(self._run(), name="recorder")
        self._task.add_done_callback(self._done)

    async def stop(self, *, timeout_s: float = 5.0) -> None:
        """Write what waits, for at most `timeout_s`, and end; what could not be written fails with RecorderFull."""
        self._enter(RecorderState.STOPPED)
        self._work.set()
        self._hurry.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout_s)
            self._is_given_up = True
            if self._connection is not None:
                cut(self._connection)
                await asyncio.wait([self._task], timeout=1.0)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for waiting in list(self._waiting):
            self._settle(self._waiting, waiting, RecorderFull("The recorder stopped before this was written."))
        if self._detour is not None:
            await self._detour.stop()
        await self._disconnect()

    def submit(self, records: Sequence[Record], *, is_urgent: bool = True) -> asyncio.Future[None]:
        """Have records written, in order; the answer is done when they are committed, or on disk.

        It fails with JournalConflict when another process wrote these places of the journal, and so does everything
        about that call until `forget`; with RecordRefused when the database will never take it, and what follows of
        that call with JournalConflict. Raises RecorderFull.
        """
        if self._state is RecorderState.STOPPED or self._waiting_records + len(records) > self._most_waiting:
            raise RecorderFull(waiting=self._waiting_records)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(self._count, tuple(records), done))
        self._count += 1
        self._waiting_records += len(records)
        self._work.set()
        if is_urgent:
            self._hurry.set()
        return done

    def forget(self, call: CallId) -> None:
        """Take records of a call again whose journal was in conflict: it was read anew, or is given up.

        What waits of it still would be written behind what another wrote.
        """
        self._lost.forget(call, self._count)

    def _done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("recorder_broke", exc_info=error)
            self._enter(RecorderState.BROKEN)

    async def _run(self) -> None:
        failures = 0
        while not self._is_given_up and (self._waiting or self._state is not RecorderState.STOPPED):
            await self._gather_some()
            batch = self._take()
            if not batch or await self._is_recorded(batch):
                failures = 0
                continue
            self._waiting.extendleft(reversed(batch))
            self._work.set()
            await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
            failures += 1

    async def _is_recorded(self, batch: list[_Waiting]) -> bool:
        detour = self._detour
        if detour is not None and detour.is_open:  # what is on the disk comes first
            if await self._is_on_disk(batch, detour.follow):
                return True
            if detour.is_open:
                return False
        try:
            await self._write(batch, list(batch))
        except AWAY as error:
            log.warning("recorder_database_away", extra={"problem": type(error).__name__, "waiting": self.waiting})
            await self._disconnect()
            self._enter(RecorderState.DATABASE_AWAY)
            return detour is not None and await self._is_on_disk(batch, detour.begin)
        self._enter(RecorderState.RECORDING)
        return True

    async def _is_on_disk(self, batch: list[_Waiting], way: Callable[[Sequence[Record]], Awaitable[bool]]) -> bool:
        self._lose_twins(batch)
        ours = [waiting for waiting in list(batch) if not self._settled_as_lost(batch, waiting)]
        records = [record for waiting in ours for record in waiting.records]
        if records and not await way(records):
            return False
        for waiting in ours:
            self._settle(batch, waiting, None)
        return True

    def _lose_twins(self, some: Sequence[_Waiting]) -> None:
        for waiting, calls in zip(some, second_of_twins([one.records for one in some]), strict=True):
            self._lost.lose(calls, waiting.number)

    def _came_back(self) -> None:
        self._enter(RecorderState.RECORDING)

    async def _gather_some(self) -> None:
        await self._work.wait()
        if not self._hurry.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._delay_s)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].records) <= self._most_at_once):
            batch.append(self._waiting.popleft())
            size += len(batch[-1].records)
        if not self._waiting and self._state is not RecorderState.STOPPED:
            self._work.clear()
            self._hurry.clear()
        return batch

    async def _write(self, batch: list[_Waiting], some: list[_Waiting]) -> None:
        """Write some of a batch, and take out of it what is settled.

        What the database refuses is taken apart, so that only the bad part of it fails.
        """
        ours = [waiting for waiting in some if not self._settled_as_lost(batch, waiting)]
        if not ours:
            return
        try:
            connection = await self._connected()
            with cut_after(connection, self._answer_timeout_s):
                await write_records(connection, [record for waiting in ours for record in waiting.records])
        except Twins:
            self._lose_twins(ours)
            await self._write(batch, ours)
        except Conflicts as conflicts:
            for waiting in ours:
                self._lost.lose(conflicts.calls_among(waiting.records), waiting.number)
            await self._write(batch, ours)
        except REFUSED as error:
            if len(ours) == 1:
                # What PostgreSQL says of it shows the row that failed: numbers, and keys that were pressed.
                problem = type(error).__name__
                log.error("record_refused", extra={"call": ours[0].records[0].call, "problem": problem})
                self._lost.lose((record.call for record in ours[0].records), ours[0].number)
                self._settle(batch, ours[0], RecordRefused(problem=problem))
                return
            for waiting in ours:
                await self._write(batch, [waiting])
        else:
            for waiting in ours:
                self._settle(batch, waiting, None)

    def _settled_as_lost(self, batch: MutableSequence[_Waiting], waiting: _Waiting) -> bool:
        lost = self._lost.of(waiting.number, waiting.records)
        if lost:
            self._settle(batch, waiting, JournalConflict(call=min(lost)))
        return bool(lost)

    def _settle(self, batch: MutableSequence[_Waiting], waiting: _Waiting, error: Exception | None) -> None:
        batch.remove(waiting)
        self._waiting_records -= len(waiting.records)
        if waiting.done.done():  # whoever asked has gone away
            return
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(error)

    def _enter(self, state: RecorderState) -> None:
        """Change the state, but never out of STOPPED."""
        if state is self._state or (self._state is RecorderState.STOPPED and self._task is not None):
            return
        self._state = state
        self._on_state(state)

    async def _connected(self) -> AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            async with asyncio.timeout(self._answer_timeout_s):
                self._connection = await connect(self._url, "callplane recorder", options=_OPTIONS)
        return self._connection

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
