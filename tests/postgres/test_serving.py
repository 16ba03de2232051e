"""Telling, as long as a call server lives, which media nodes it has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controlplane.store.database import Database, Transaction
from controlplane.wiring.serving import serving_nodes
from tests.postgres.sample import rows


class Breaking(Database):
    """Falls over a defect the first time that it is asked."""

    asked = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.asked += 1
        if self.asked == 1:
            raise ZeroDivisionError
        async with super().transaction() as tx:
            yield tx


async def test_a_node_is_served_on_after_a_defect(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with Breaking(url) as db, serving_nodes(db, ["fs1"], period_s=0), asyncio.timeout(10):
        while not rows(url, "SELECT node FROM served_nodes"):
            await asyncio.sleep(0)
    assert "serving_broke" in [record.getMessage() for record in caplog.records]
