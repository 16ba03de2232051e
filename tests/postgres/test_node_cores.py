"""Runs of media nodes on record: which are lost, who settles them, and whose their calls are then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from controlplane.base.ids import LegId, leg_of_call
from controlplane.callserver.losses import Core
from controlplane.services.load_live_calls import load_live_calls
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.shards import ShardLocks
from controlplane.wiring.losses import DatabaseCores
from tests.postgres.sample import call_in_shard, entry, offered, queue_call, rows

FIRST, SECOND, OTHER = (str(uuid4()) for _ in range(3))


@pytest.fixture
async def servers(url: str) -> AsyncIterator[list[ShardLocks]]:
    made = [ShardLocks(url, name, on_lost=lambda: None, beat_s=3600) for name in ("one", "two")]
    for locks in made:
        await locks.open()
    yield made
    for locks in made:
        await locks.close()


async def known(cores: DatabaseCores) -> dict[str, tuple[bool, bool]]:
    return {core.uuid: (core.is_lost, core.is_settled) for core in await cores.known()}


async def test_a_core_that_is_followed_by_another_is_lost(db: Database) -> None:
    cores = DatabaseCores(db)
    assert await cores.enter("n1", FIRST)
    assert await cores.enter("n2", OTHER)
    assert await known(cores) == {FIRST: (False, False), OTHER: (False, False)}
    assert await cores.enter("n1", SECOND)
    assert await known(cores) == {FIRST: (True, False), SECOND: (False, False), OTHER: (False, False)}
    assert not await cores.enter("n1", FIRST)
    assert await known(cores) == {FIRST: (True, False), SECOND: (False, False), OTHER: (False, False)}


async def test_a_core_that_somebody_saw_lately_is_not_declared_lost(db: Database) -> None:
    cores = DatabaseCores(db)
    await cores.enter("n1", FIRST)
    assert not await cores.declare_lost("n1", FIRST, unseen_s=60)
    assert await cores.declare_lost("n1", FIRST, unseen_s=0)
    assert not await cores.declare_lost("n1", FIRST, unseen_s=0)


async def test_one_server_settles_a_lost_core_and_another_when_that_is_gone(
    db: Database, servers: list[ShardLocks]
) -> None:
    cores = DatabaseCores(db)
    await cores.enter("n1", FIRST)
    core = Core("n1", FIRST)
    assert await cores.lead(core, "one") is None
    await cores.declare_lost("n1", FIRST, unseen_s=0)
    assert await cores.lead(core, "one") is not None
    assert await cores.lead(core, "one") is not None
    assert await cores.lead(core, "two") is None
    assert not await cores.settle(core, "two", ())
    await servers[0].close()
    assert await cores.lead(core, "two") is not None
    assert not await cores.adopt(core, "one", Core("n2", OTHER), ())
    assert not await cores.settle(core, "one", ())
    assert await cores.settle(core, "two", ())
    assert await cores.lead(core, "two") is None
    assert await known(cores) == {FIRST: (True, True)}


async def test_calls_move_once_with_their_legs_and_the_others_stay(
    db: Database, recorder: Recorder, servers: list[ShardLocks]
) -> None:
    cores = DatabaseCores(db)
    moving, late, staying = call_in_shard(1), call_in_shard(3), call_in_shard(2)
    for call in (moving, staying):
        await recorder.submit((offered(call, node="n1"),), is_urgent=True)
    await cores.enter("n1", FIRST)
    await cores.declare_lost("n1", FIRST, unseen_s=0)
    core = Core("n1", FIRST)
    await cores.lead(core, "one")
    legs = {leg_of_call(moving), LegId(str(uuid4()))}
    assert await cores.adopt(core, "one", Core("n2", OTHER), legs)
    async with db.transaction() as tx:
        assert [(call.call_id, call.moves) for call in await load_live_calls(tx, "n2", range(16))] == [(moving, 1)]
    assert await cores.adopt(core, "one", Core("n2", OTHER), {leg_of_call(moving), leg_of_call(late)})
    led = await cores.lead(core, "one")
    assert led is not None
    assert (led.adopting_node, led.adopting_core, led.legs) == ("n2", OTHER, frozenset(legs | {leg_of_call(late)}))
    await recorder.submit((offered(late, node="n1"),), is_urgent=True)
    assert await cores.settle(core, "one", {leg_of_call(moving), leg_of_call(late)})
    assert not await cores.settle(core, "one", {leg_of_call(moving)})
    async with db.transaction() as tx:
        there = await load_live_calls(tx, "n2", range(16))
        here = await load_live_calls(tx, "n1", range(16))
    assert {(call.call_id, call.moves) for call in there} == {(moving, 1), (late, 1)}
    assert [(call.call_id, call.moves) for call in here] == [(staying, 0)]


async def test_calls_that_were_not_dialled_yet_go_back_to_the_queue(
    db: Database, url: str, recorder: Recorder, servers: list[ShardLocks]
) -> None:
    cores, claimed, begun = DatabaseCores(db), call_in_shard(1), call_in_shard(2)
    for call in (claimed, begun):
        await queue_call(db, call)
    await recorder.submit((entry(begun, 0),), is_urgent=True)
    rows_of = "SELECT node FROM calls ORDER BY call_id"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE calls SET node = 'n1', gateway = 'g', claimed_at = now()")
    await cores.enter("n1", FIRST)
    await cores.declare_lost("n1", FIRST, unseen_s=0)
    await cores.lead(Core("n1", FIRST), "one")
    await cores.settle(Core("n1", FIRST), "one", ())
    assert rows(url, rows_of) == [{"node": None}, {"node": "n1"}]
