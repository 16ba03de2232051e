"""The way records take while PostgreSQL is away: onto the disk, and from there into the database when it is back.

The detour is open from the first record that took it until none is left on the disk. As long as it is open all records
take it, so that they come to the database in their order, and nobody waits for more than the disk. A database that
answers, but too slowly for whoever waits for a record, is not back: the detour stays open for a while.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from psycopg import AsyncConnection

from controlplane.base.errors import Unavailable
from controlplane.base.ids import CallId, leg_of_call, shard_of
from controlplane.store.connecting import connect, cut
from controlplane.store.records import Record
from controlplane.store.replaying import ANSWER_TIMEOUT_S, MOST_AT_ONCE, Count, replay_spool
from controlplane.store.spool import Spool
from controlplane.store.writing import AWAY

log = logging.getLogger(__name__)

_RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # then the last for ever
_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"
SLOW_S = 0.3  # a database that takes longer for what waited is not fit for those who wait
SLOW_PAUSE_S = 1.0


def _ignore(_what: str, _number: int) -> None:
    return


@dataclass(slots=True)
class Detour:
    """One recorder's, with a connection of its own. `on_lost` is told calls of which records were set aside."""

    url: str
    spool: Spool
    count: Count = _ignore
    on_lost: Callable[[frozenset[CallId]], None] = lambda _: None
    on_over: Callable[[], None] = lambda: None
    is_open: bool = False
    shards: frozenset[int] = frozenset()  # of calls of which something took this way since it is open
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _back: asyncio.Task[None] | None = None
    _connection: AsyncConnection[Any] | None = None
    _is_refusing: bool = False

    async def begin(self, records: Sequence[Record]) -> bool:
        """Put records on disk, and open. False: it is full, or broken; whatever was on the way before is safe."""
        async with self._turn:
            if not await self._append(records):
                return False
            self.is_open = True
            self._back = asyncio.create_task(self._come_back(), name="spool")
            log.warning("spool_begun", extra={"spool": self.spool.folder.name})
            return True

    async def follow(self, records: Sequence[Record]) -> bool:
        """Put records on disk behind the others. False: as above, or the detour is open no more."""
        async with self._turn:
            return self.is_open and await self._append(records)

    async def _append(self, records: Sequence[Record]) -> bool:
        try:
            await asyncio.to_thread(self.spool.append, records)
        except (OSError, Unavailable) as error:
            self._refuse(error, len(records))
            return False
        self._is_refusing = False
        self.shards |= {shard_of(leg_of_call(record.call)) for record in records}
        self.count("spooled", len(records))
        return True

    async def stop(self) -> None:
        """Leave the rest on the disk, for whoever comes after us."""
        if self._connection is not None:
            cut(self._connection)
        if self._back is not None:
            self._back.cancel()
            await asyncio.gather(self._back, return_exceptions=True)

    def _refuse(self, error: Exception, records: int) -> None:
        self.count("refused", records)
        if not self._is_refusing:
            log.error("spool_refuses", extra={"problem": str(error), "spool": self.spool.folder.name})
        self._is_refusing = True

    async def _come_back(self) -> None:
        failures = 0
        while self.is_open:
            try:
                await self._connect()
                while self.is_open:
                    await self._write_on()
                    failures = 0
            except AWAY as error:
                log.info("spool_waits", extra={"problem": type(error).__name__, "entries": self.spool.entries})
                await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
            except Exception:
                # A defect of ours: the calls go on over the disk all the same, and whoever comes after us may know.
                log.exception("spool_broke")
                await asyncio.sleep(_RETRY_S[-1])
            finally:
                await self._disconnect()

    async def _write_on(self) -> None:
        """Write what is on the disk by now, and end if little came meanwhile."""
        entries, began_s = self.spool.entries, monotonic()
        await self._replay(ANSWER_TIMEOUT_S)
        if monotonic() - began_s > SLOW_S:
            if entries <= MOST_AT_ONCE:
                await asyncio.sleep(SLOW_PAUSE_S)
            return  # what came meanwhile is less
        async with self._turn:  # whoever has more to record waits for this, and then for the database itself
            await self._replay(SLOW_S)
            if await asyncio.to_thread(self.spool.waiting):
                return
            await asyncio.to_thread(self.spool.emptied)
            self.is_open, self.shards = False, frozenset()
        log.warning("spool_empty", extra={"spool": self.spool.folder.name})
        self.on_over()

    async def _replay(self, answer_timeout_s: float) -> None:
        assert self._connection is not None
        lost = await replay_spool(self._connection, self.spool, self.count, answer_timeout_s=answer_timeout_s)
        if lost:
            self.on_lost(lost)

    async def _connect(self) -> None:
        self._connection = await connect(self.url, "callplane spool", options=_OPTIONS)

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
