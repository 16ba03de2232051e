"""LISTEN on a connection of its own, for as long as the process lives.

A notification says that something may be read; it is never relied on alone: `on_gap` is called after every (re)connect,
because whatever was told meanwhile is lost, and readers look by themselves now and then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

from controlplane.store.connecting import connect, cut, cut_after

log = logging.getLogger(__name__)

_RETRY_S = (0.05, 0.2, 0.5, 1.0)  # then the last for ever
_LOOK_S = 5.0  # how long silence may be before the connection is tried


class Listener:
    """Calls `on_notify(channel, payload)` for what is told, and `on_gap()` whenever something may have been missed.

    Both are called in the event loop and must not block.
    """

    def __init__(
        self,
        url: str,
        channels: Sequence[str],
        *,
        on_notify: Callable[[str, str], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._url = url
        self._channels = tuple(channels)
        self._on_notify = on_notify
        self._on_gap = on_gap
        self._connection: AsyncConnection[Any] | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen; does not wait for the database."""
        self._task = asyncio.create_task(self._run(), name="listener")

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            if self._connection is not None:
                cut(self._connection)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        failures = 0
        while True:
            try:
                self._connection = await self._connect()
                failures = 0
                async with self._connection:
                    self._on_gap()
                    await self._listen(self._connection)
            except (psycopg.Error, OSError) as error:
                log.warning("listener_database_away", extra={"problem": type(error).__name__})
                await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
            except Exception:  # the top of this loop: nobody would see that it is over, and everything would be late
                log.exception("listener_broke")
                await asyncio.sleep(_RETRY_S[-1])

    async def _connect(self) -> AsyncConnection[Any]:
        connection = await connect(self._url, "callplane listener")
        try:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            await connection.close()
            raise
        return connection

    async def _listen(self, connection: AsyncConnection[Any]) -> None:
        while True:
            async for told in connection.notifies(timeout=_LOOK_S):
                self._on_notify(told.channel, told.payload)
            with cut_after(connection, _LOOK_S):
                await connection.execute("SELECT 1")
