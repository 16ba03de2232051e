"""A run in which nothing was lost balances: what the ledger passes over, it passes over knowingly."""

from __future__ import annotations

from tests.postgres.ledger.conftest import LiveNode, look
from tests.postgres.ledger.scene import Scene


async def test_a_run_in_which_nothing_was_lost_balances(scene: Scene, live_node: LiveNode) -> None:
    assert await look(scene, live_node) == []
