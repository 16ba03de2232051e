"""Recordings that media nodes have finished: fetched, trimmed, stored, told."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from controlplane.services.finish_recording import Outcome, finish_recording
from controlplane.services.recordings import DueRecording, postpone_recording, take_due_recordings
from controlplane.store.database import Database

log = logging.getLogger(__name__)

RETRY_S = 15


class NotYet(Exception):
    """A recording cannot be had or stored right now."""


class Keeper(Protocol):
    """Brings a recording from its media node into storage."""

    async def keep(self, due: DueRecording) -> Outcome:
        """Fetch, trim and store it, once or more often with the same result; raises NotYet."""
        ...


async def process_due_recordings(db: Database, keeper: Keeper, *, public_url: str) -> int:
    """Process recordings until none is due; answers how many were looked at. Raises Unavailable."""
    looked_at = 0
    while True:
        async with db.transaction() as tx:
            due = await take_due_recordings(tx)
        if not due:
            return looked_at
        await asyncio.gather(*(_process(db, keeper, one, public_url) for one in due))
        looked_at += len(due)


async def _process(db: Database, keeper: Keeper, due: DueRecording, public_url: str) -> None:
    try:
        outcome = await keeper.keep(due)
    except NotYet as error:
        log.info("recording_not_yet", extra={"recording": due.recording_id, "problem": str(error)})
        async with db.transaction() as tx:
            await postpone_recording(tx, due, delay_s=RETRY_S, problem=str(error))
        return
    async with db.transaction() as tx:
        await finish_recording(tx, due.account_id, due.recording_id, outcome, public_url=public_url)
    log.info("recording_finished", extra={"recording": due.recording_id, "outcome": type(outcome).__name__})
