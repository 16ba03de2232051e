"""What processes of this host left on the disk when they died, and what those that live have there still.

Before anybody goes on with calls from their journals, what this host has of them on its disk belongs into the
database: a journal without its last entries leads to another end.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

import psycopg

from controlplane.base.errors import Unavailable
from controlplane.store.connecting import connect
from controlplane.store.database import DatabaseAway
from controlplane.store.replaying import Count, replay_spool
from controlplane.store.spool import Spool, folders_in, is_waiting, maybe_inherit
from controlplane.store.vault import Vault

log = logging.getLogger(__name__)

_OPTIONS = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s"
PATIENCE_S = 10.0  # with a process that lives; a stuck one is killed after half of that (callserver/watchdog.py)


class SpoolWaits(Unavailable):
    """This host has entries on disk that are not in the database yet."""

    slug = "spool-waits"


@dataclass(slots=True)
class Heirs:
    """Looks after the spools under `root`, all but `own`."""

    url: str
    root: Path
    own: Path
    vault: Vault
    count: Count = lambda _what, _number: None
    patience_s: float = PATIENCE_S
    _waited_since_s: dict[Path, float] = field(default_factory=dict)
    _given_up: set[Path] = field(default_factory=set)  # what waits there is not waited for any more
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def settle(self) -> None:
        """Write into the database what dead processes left on disk: that may take a while.

        Raises DatabaseAway, and SpoolWaits for as long as a process that lives has something there (`patience_s` at
        most: it may never come to it).
        """
        async with self._turn:
            for folder in await asyncio.to_thread(self._folders):
                await self._look_at(folder)

    async def insist(self) -> None:
        """Raise SpoolWaits while anything waits that `settle` would write or wait for; takes no time."""
        waiting = await asyncio.to_thread(self._waiting)
        if waiting:
            raise SpoolWaits(None, spool=waiting[0].name)

    async def holds(self, process: str) -> bool:
        """Say whether something of this process waits on our disk, even if it is not waited for."""
        return await asyncio.to_thread(is_waiting, self.root / process)

    def _folders(self) -> list[Path]:
        return [folder for folder in folders_in(self.root) if folder != self.own]

    def _waiting(self) -> list[Path]:
        return [folder for folder in self._folders() if folder not in self._given_up and is_waiting(folder)]

    async def _look_at(self, folder: Path) -> None:
        try:
            spool = await asyncio.to_thread(maybe_inherit, folder, self.vault)
            if spool is None:
                await self._wait_for(folder)
                return
            try:
                await self._replay(spool)
            finally:
                await asyncio.to_thread(spool.close)
        except OSError as error:  # it is broken, or not ours to read: that must not keep us from all other calls
            log.error("spool_unreadable", extra={"spool": folder.name, "problem": str(error)})
            self._given_up.add(folder)

    async def _wait_for(self, folder: Path) -> None:
        if not await asyncio.to_thread(is_waiting, folder):
            self._waited_since_s.pop(folder, None)
            self._given_up.discard(folder)
            return
        since_s = self._waited_since_s.setdefault(folder, monotonic())
        if monotonic() - since_s < self.patience_s:
            raise SpoolWaits(None, spool=folder.name)
        self._given_up.add(folder)

    async def _replay(self, spool: Spool) -> None:
        if await asyncio.to_thread(is_waiting, spool.folder):
            log.warning("spool_inherited", extra={"spool": spool.folder.name})
            try:
                connection = await connect(self.url, "callplane spool", options=_OPTIONS)
                try:
                    await replay_spool(connection, spool, self.count)
                finally:
                    with suppress(psycopg.Error):
                        await connection.close()
            except psycopg.Error as error:
                raise DatabaseAway from error
        await asyncio.to_thread(spool.emptied)
