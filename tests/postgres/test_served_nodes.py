from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from controlplane.base.ids import CallId
from controlplane.services.served_nodes import Watch, serve_nodes, write_off_calls_of_gone_nodes
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.shards import ShardLocks
from tests.postgres.sample import call_in_shard, offered, queue_call, rows

HOUR_AGO = "now() - interval '1 hour'"


@pytest.fixture
async def server(url: str) -> AsyncIterator[ShardLocks]:
    """A call server that has been there for hours."""
    locks = ShardLocks(url, "one", on_lost=lambda: None, beat_s=3600)
    await locks.open()
    yield locks
    await locks.close()


@pytest.fixture
async def call(recorder: Recorder) -> CallId:
    """A live call of a node that was served an hour ago."""
    call = call_in_shard(1)
    await recorder.submit([offered(call, node="removed")])
    return call


async def sweep(db: Database, gone_after_s: float = 0, *, watch: Watch | None = None, now_s: float = 0) -> int:
    """One look, which is enough where no `watch` says otherwise."""
    async with db.transaction() as tx:
        return await write_off_calls_of_gone_nodes(
            tx, watch or Watch(watched_s=0, looks=1), gone_after_s=gone_after_s, now_s=now_s
        )


async def serve(db: Database, *nodes: str) -> None:
    async with db.transaction() as tx:
        await serve_nodes(tx, nodes)


def verdicts(url: str) -> list[tuple[str, str | None]]:
    return [(row["status"], row["reason"]) for row in rows(url, "SELECT status, reason FROM calls ORDER BY call_id")]


async def test_calls_of_a_node_that_nobody_has_any_more_end_when_it_was_last_served(
    db: Database, server: ShardLocks, call: CallId, url: str
) -> None:
    await serve(db, "removed")
    assert await sweep(db) == 1
    assert await sweep(db) == 0
    assert verdicts(url) == [("failed", "node-gone")]
    [row] = rows(
        url, "SELECT ended_at = date_trunc('milliseconds', last_served_at) AS is_then FROM calls, served_nodes"
    )
    assert row["is_then"]


async def test_calls_of_a_node_that_somebody_has_go_on(
    db: Database, server: ShardLocks, call: CallId, url: str
) -> None:
    await serve(db, "removed", "another")
    assert await sweep(db, gone_after_s=60) == 0
    assert verdicts(url) == [("ringing", None)]


async def test_a_node_of_which_nobody_ever_told_is_watched_from_now_on(
    db: Database, server: ShardLocks, call: CallId, url: str
) -> None:
    assert await sweep(db, gone_after_s=60) == 0
    assert rows(url, "SELECT node FROM served_nodes") == [{"node": "removed"}]


async def test_nothing_is_said_of_nodes_while_no_call_server_has_been_there_for_long(
    db: Database, call: CallId, url: str
) -> None:
    await serve(db, "removed")
    rows(url, f"UPDATE served_nodes SET last_served_at = {HOUR_AGO} RETURNING 1")
    assert await sweep(db) == 0
    newcomer = ShardLocks(url, "new", on_lost=lambda: None, beat_s=3600)
    await newcomer.open()
    assert await sweep(db, gone_after_s=600) == 0
    await newcomer.close()
    assert verdicts(url) == [("ringing", None)]


async def test_calls_that_wait_to_be_dialled_are_on_no_node(db: Database, server: ShardLocks, url: str) -> None:
    await queue_call(db, call_in_shard(1))
    assert await sweep(db) == 0
    assert verdicts(url) == [("queued", None)]


async def test_a_node_is_gone_when_we_saw_it_unserved_for_long_by_our_own_clock(
    db: Database, server: ShardLocks, call: CallId, url: str
) -> None:
    await serve(db, "removed")
    watch = Watch(watched_s=60, looks=3)
    assert [await sweep(db, watch=watch, now_s=now_s) for now_s in (100, 130, 159, 160)] == [0, 0, 0, 1]
    assert verdicts(url) == [("failed", "node-gone")]


async def test_a_node_of_which_we_saw_little_is_not_gone_however_long_we_slept(
    db: Database, server: ShardLocks, call: CallId
) -> None:
    await serve(db, "removed")
    watch = Watch(watched_s=60, looks=3)
    assert [await sweep(db, watch=watch, now_s=now_s) for now_s in (100, 1000, 1010)] == [0, 0, 1]


async def test_a_node_that_is_served_meanwhile_is_not_gone_however_the_databases_clock_is_set(
    db: Database, server: ShardLocks, call: CallId, url: str
) -> None:
    watch = Watch(watched_s=60, looks=3)
    for now_s in range(100, 400, 20):
        await serve(db, "removed")
        assert await sweep(db, watch=watch, now_s=now_s) == 0  # with 0 s a node is gone at once by the database's clock
    assert verdicts(url) == [("ringing", None)]
