"""Which call server drives which calls: session advisory locks on (media node, shard).

The locks belong to a session of their own. When the process dies the session ends, and the next server has the locks
within milliseconds. A process that is stopped but not dead keeps its session: its heartbeat stops, and a peer ends the
session for it (`fence`); should it wake up, it finds the session gone before it does anything (`on_lost`).

Nothing here decides when to take what: that is the call server's business (`callserver/balancing.py`).
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from controlplane.base.errors import Unavailable
from controlplane.store.connecting import connect, cut_after
from controlplane.store.queries import Query, query

log = logging.getLogger(__name__)

_TAKE, _RELEASE, _RELEASE_ALL = query("take_shards"), query("release_shards"), query("release_all_shards")
_ENTER, _BEAT, _LEAVE = query("enter_call_server"), query("beat"), query("leave_call_server")
_LIVE, _FENCE = query("live_call_servers"), query("fence_call_servers")
_MISSING, _END_FORMER = query("missing_call_servers"), query("end_former_session")
_OPTIONS = "-c statement_timeout=5s -c tcp_keepalives_idle=2 -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"
SHARDS = 16


class SessionLost(Unavailable):
    """The session that held our shards is gone, and the shards with it."""

    slug = "lock-session-lost"


def lock_key(node: str) -> int:
    """A media node's name as the first half of an advisory lock's key (int4)."""
    return crc32(node.encode()) - (1 << 31)


class ShardLocks:
    """One session's shards. `on_lost()` is called once, in the event loop, when the session is found gone."""

    def __init__(
        self,
        url: str,
        server_id: str,
        *,
        on_lost: Callable[[], None],
        beat_s: float = 1.0,
        answer_timeout_s: float = 3.0,
        dead_after_s: float = 5.0,
    ) -> None:
        """`dead_after_s`: peers not seen for so long count no more, and may be fenced.

        A session that does not answer within `answer_timeout_s` is lost; with `beat_s` that must be less than
        `dead_after_s`, so that a server cut off knows it before another drives its calls.
        """
        self._url = url
        self._server_id = server_id
        self._on_lost = on_lost
        self._beat_s = beat_s
        self._answer_timeout_s = answer_timeout_s
        self._dead_after_s = dead_after_s
        self._owned: set[tuple[str, int]] = set()
        self._term = 0
        self._may_be_driven = False
        self._connection: AsyncConnection[Any] | None = None
        self._watched: int | None = None
        self._turn = asyncio.Lock()
        self._stirred = asyncio.Event()
        self._is_leaving = False
        self._task: asyncio.Task[None] | None = None

    @property
    def owned(self) -> frozenset[tuple[str, int]]:
        """The (node, shard) pairs held; none once the session is lost."""
        return frozenset(self._owned)

    @property
    def term(self) -> int:
        """When shards were last taken: the number of a transaction, which grows over all sessions."""
        return self._term

    @property
    def may_be_driven(self) -> bool:
        """Whether what was taken last may be a server's that was fenced lately, and lives: it may not know it yet."""
        return self._may_be_driven

    async def open(self) -> None:
        """Begin a session and say that this server is there. Raises SessionLost if the database cannot be reached.

        May be called again after `on_lost`; what the session before held is free then.
        """
        await self.close()
        try:
            self._connection = await connect(self._url, "callplane shards", options=_OPTIONS)
        except psycopg.OperationalError as error:
            raise SessionLost from error
        self._watched = os.dup(self._connection.fileno())
        await self._ask(_END_FORMER, server_id=self._server_id)
        await self._ask(_ENTER, server_id=self._server_id)
        self._is_leaving = False
        self._task = asyncio.create_task(self._watch(), name="shard-locks")

    async def close(self) -> None:
        """Leave: every shard is free for others when this returns."""
        if self._task is not None:
            self._is_leaving = True
            self._stirred.set()
            await self._task
            self._task = None
        if self._connection is not None:
            try:
                await self._ask(_LEAVE, server_id=self._server_id)
                await self._ask(_RELEASE_ALL)
            except SessionLost:
                log.info("shard_session_was_gone")
        await self._drop()

    async def try_take(self, node: str, shards: Sequence[int]) -> frozenset[int]:
        """Take what is free of these shards; answers those taken now. Raises SessionLost."""
        wanted = [shard for shard in shards if (node, shard) not in self._owned]
        rows = await self._ask(_TAKE, shards=wanted, key=lock_key(node))
        taken = frozenset(row["shard"] for row in rows)
        if rows:
            self._term = int(rows[0]["term"])
            self._may_be_driven = rows[0]["was_fenced"]
        self._owned |= {(node, shard) for shard in taken}
        return taken

    async def release(self, node: str, shards: Sequence[int]) -> None:
        """Give shards back. Raises SessionLost."""
        ours = [shard for shard in shards if (node, shard) in self._owned]
        self._owned -= {(node, shard) for shard in ours}
        await self._ask(_RELEASE, shards=ours, key=lock_key(node))

    async def live_servers(self) -> list[str]:
        """The servers seen lately, this one among them. Raises SessionLost."""
        rows = await self._ask(_LIVE, server_id=self._server_id, dead_after_s=self._dead_after_s)
        return [row["server_id"] for row in rows]

    async def missing_servers(self) -> list[str]:
        """Servers that may be about to come back: the database began anew a moment ago. Raises SessionLost."""
        rows = await self._ask(_MISSING, server_id=self._server_id, dead_after_s=self._dead_after_s)
        return [row["server_id"] for row in rows]

    async def fence(self) -> list[str]:
        """End the sessions of servers not seen for `dead_after_s`; answers who they were. Raises SessionLost.

        Their shards are free when this returns, unless a session takes more than a second to end.
        """
        rows = await self._ask(_FENCE, server_id=self._server_id, dead_after_s=self._dead_after_s)
        return [row["server_id"] for row in rows]

    async def confirm(self) -> None:
        """Say that this server is there, and make sure that it still holds what it held. Raises SessionLost.

        Nobody fences it for `dead_after_s` from here on.
        """
        if not await self._ask(_BEAT, server_id=self._server_id):
            # Fenced, and the end of the session is on its way.
            async with self._turn:
                await self._lose("fenced")
            raise SessionLost

    async def _watch(self) -> None:
        """Beat now and then, and at once when the socket stirs while nobody asked anything: that is its end."""
        while not self._is_leaving:
            self._stirred.clear()
            try:
                await self.confirm()
                await asyncio.wait_for(self._stirred.wait(), self._beat_s)
            except TimeoutError:
                continue
            except SessionLost:
                return
            except Exception:  # a defect of ours: without a beat we would be fenced, and know it too late
                log.exception("shard_watch_broke")
                async with self._turn:
                    await self._lose("defect")
                return

    async def _ask(self, asked: Query, **values: object) -> list[dict[str, Any]]:
        async with self._turn:
            connection = self._connection
            if connection is None:
                raise SessionLost
            self._look_away()
            try:
                with cut_after(connection, self._answer_timeout_s):
                    cursor = await connection.cursor(row_factory=dict_row).execute(asked.text, values)
                    rows = await cursor.fetchall() if cursor.description else []
            except (psycopg.Error, OSError) as error:
                await self._lose(type(error).__name__)
                raise SessionLost from error
            self._look()
            return rows

    async def _lose(self, why: str) -> None:
        await self._drop()
        log.warning("shard_session_lost", extra={"problem": why})
        self._on_lost()

    def _look(self) -> None:
        """Have the loop tell when the socket stirs. On a duplicate, as psycopg registers the descriptor itself."""
        if self._watched is not None:
            asyncio.get_running_loop().add_reader(self._watched, self._stir)

    def _look_away(self) -> None:
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched)

    def _stir(self) -> None:
        self._look_away()
        self._stirred.set()

    async def _drop(self) -> None:
        self._owned.clear()
        self._look_away()
        if self._watched is not None:
            os.close(self._watched)
            self._watched = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None
