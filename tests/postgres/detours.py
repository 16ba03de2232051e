"""A recorder whose records go by the disk, and what is left there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from controlplane.base.ids import CallId, Token
from controlplane.store.detour import Detour
from controlplane.store.journal import Recorder, RecorderState
from controlplane.store.records import CallbackQueued, CallChanged, EventPublished, NoteWritten, Record
from controlplane.store.spool import Spool, open_spool
from tests.postgres.sample import NOW_MS, VAULT, entry, offered, rows

NOWHERE = "postgresql://127.0.0.1:1/none"
ROOM = 1 << 20


def spool_in(root: Path, name: str = "one", most_bytes: int = ROOM) -> Spool:
    return open_spool(root, name, VAULT, most_bytes=most_bytes)


def die(spool: Spool) -> None:
    """What the kernel does with the files of a process that was killed."""
    spool.rotate()
    os.close(spool.lock)


class States:
    """What a recorder says of itself, and who waits for it."""

    def __init__(self) -> None:
        self.seen: list[RecorderState] = []
        self._changed = asyncio.Event()

    def take(self, state: RecorderState) -> None:
        self.seen.append(state)
        self._changed.set()

    async def until(self, state: RecorderState) -> None:
        while not self.seen or self.seen[-1] is not state:
            self._changed.clear()
            await self._changed.wait()


@asynccontextmanager
async def recording(url: str, spool: Spool, states: States) -> AsyncIterator[Recorder]:
    recorder = Recorder(url, detour=Detour(url, spool), on_state=states.take, answer_timeout_s=0.5)
    await recorder.start()
    try:
        yield recorder
    finally:
        await recorder.stop(timeout_s=1)
        spool.close()


def whole_call(call: CallId) -> list[Record]:
    """A call from its first entry to its verdict, with all that its tenant is told."""
    ended = CallChanged(status="completed", ended_ms=NOW_MS + 3000, result="completed", reason="normal-clearing")
    hook = "http://app/hook"
    return [
        offered(call, EventPublished(Token(f"{call}.0.0"), "call.ringing", "{}", None, hook)),
        entry(call, 1, EventPublished(Token(f"{call}.1.0"), "call.answered", "{}", None, hook)),
        entry(call, 2, NoteWritten(0, "warning", 1, "odd", "")),
        entry(call, 3, ended, CallbackQueued("http://app/status", "POST", "[]"),
              EventPublished(Token(f"{call}.3.0"), "call.completed", "{}", None, hook)),
    ]  # fmt: skip


def written(url: str) -> list[tuple[object, ...]]:
    """Everything that is on record of all calls, as numbers that can be compared."""
    return [
        tuple(row.values())
        for row in rows(
            url,
            """
            SELECT shard, status, result, event_count, callback_count,
                (SELECT array_agg(seq ORDER BY seq) FROM journal WHERE journal.call_id = calls.call_id) AS places,
                (SELECT array_agg(sequence ORDER BY sequence) FROM events
                  WHERE events.call_id = calls.call_id) AS events,
                (SELECT array_agg((lane, number)::text ORDER BY lane, number) FROM deliveries
                  WHERE deliveries.call_id = calls.call_id) AS deliveries
            FROM calls ORDER BY shard
            """,
        )
    ]


WHOLE = ("completed", "completed", 3, 1, [0, 1, 2, 3], [0, 1, 2], ["(0,0)", "(0,1)", "(0,2)", "(1,0)"])
