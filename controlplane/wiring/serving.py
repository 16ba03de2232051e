"""Telling the database which media nodes this call server has."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from controlplane.base.errors import Unavailable
from controlplane.services.served_nodes import serve_nodes
from controlplane.store.database import Database

log = logging.getLogger(__name__)

PERIOD_S = 20.0  # a small part of the time after which a node is gone


@asynccontextmanager
async def serving_nodes(db: Database, nodes: Collection[str], *, period_s: float = PERIOD_S) -> AsyncIterator[None]:
    """Say again and again that these are served, while the block runs."""
    task = asyncio.create_task(_serve(db, nodes, period_s), name="serving")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _serve(db: Database, nodes: Collection[str], period_s: float) -> None:
    while True:
        try:
            async with db.transaction() as tx:
                await serve_nodes(tx, nodes)
        except Unavailable as error:
            log.info("nodes_not_served", extra={"problem": str(error)})
        except Exception:  # the top of this loop: were it over, the nodes' live calls would be written off
            log.exception("serving_broke")
        await asyncio.sleep(period_s)
