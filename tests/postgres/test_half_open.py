"""Connections that are neither up nor down. Time passes only when a test moves it, however long the database takes."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.services.check_database import check_database
from controlplane.store.database import Database, DatabaseAway
from controlplane.store.journal import Recorder, RecorderFull, RecorderState
from controlplane.store.notify import Listener
from controlplane.store.shards import ShardLocks
from tests.postgres.sample import call_in_shard, entry, offered, rows
from tests.postgres.wire import wire_to
from tests.still_time import StillTime


async def test_a_database_that_does_not_answer_is_away_and_what_waited_is_written_once(
    url: str, time: StillTime
) -> None:
    call = call_in_shard(1)
    states: asyncio.Queue[RecorderState] = asyncio.Queue()
    async with wire_to(url) as wire:
        recorder = Recorder(wire.url, answer_timeout_s=15, on_state=states.put_nowait)
        await recorder.start()
        await recorder.submit([offered(call)])
        assert await states.get() is RecorderState.RECORDING
        wire.stall()
        waiting = recorder.submit([entry(call, 1)])
        await time.move(15)
        assert await states.get() is RecorderState.DATABASE_AWAY
        assert not waiting.done()
        wire.go_on()
        await time.move(1)
        await waiting
        assert await states.get() is RecorderState.RECORDING
        await recorder.stop()
    assert rows(url, "SELECT seq FROM journal ORDER BY seq") == [{"seq": 0}, {"seq": 1}]


async def test_a_server_that_is_cut_off_knows_it_before_it_may_be_fenced(url: str, time: StillTime) -> None:
    lost = asyncio.Event()
    async with wire_to(url) as wire:
        locks = ShardLocks(wire.url, "one", on_lost=lost.set, beat_s=1, answer_timeout_s=3, dead_after_s=5)
        await locks.open()
        await locks.try_take("fs1", [1])
        wire.stall()
        await time.move(4)
        await lost.wait()
        assert locks.owned == frozenset()
        assert rows(url, "SELECT count(*) AS locks FROM pg_locks WHERE locktype = 'advisory'") == [{"locks": 1}]
        rows(url, "UPDATE call_servers SET last_seen = now() - interval '6 seconds' RETURNING 1")
        peer = ShardLocks(url, "two", on_lost=lambda: None, dead_after_s=5)
        try:
            await peer.open()
            assert await peer.fence() == ["one"]
            while not await peer.try_take("fs1", [1]):
                pass  # the session that was ended lets go when its process comes to it
        finally:
            await peer.close()
            await locks.close()


async def test_everything_stops_at_once_though_the_database_does_not_answer(url: str, time: StillTime) -> None:
    async with wire_to(url) as wire:
        recorder = Recorder(wire.url)
        locks = ShardLocks(wire.url, "one", on_lost=lambda: None, beat_s=0.1, answer_timeout_s=0.3)
        listening = asyncio.Event()
        listener = Listener(wire.url, ["x"], on_notify=lambda *_: None, on_gap=listening.set)
        await recorder.start()
        await recorder.submit([offered(call_in_shard(1))])
        await locks.open()
        await listener.start()
        await listening.wait()
        wire.stall()
        waiting = recorder.submit([offered(call_in_shard(1))])
        stopping = asyncio.gather(listener.stop(), recorder.stop(timeout_s=0.1), locks.close())
        await time.move(0.5)
        await stopping
        with pytest.raises(RecorderFull):
            await waiting


async def test_a_database_that_hangs_is_away_for_those_who_ask_and_back_when_it_goes_on(
    url: str, time: StillTime
) -> None:
    async def ask(db: Database) -> bool:
        try:
            async with db.autocommit() as tx:
                await check_database(tx)
        except DatabaseAway:
            return False
        return True

    async def answer(db: Database) -> bool:
        asking = asyncio.create_task(ask(db))
        while not asking.done():
            await time.move(0.1)
        return asking.result()

    async with wire_to(url) as wire, Database(wire.url, size=1, wait_s=1) as db:
        assert await ask(db)
        wire.stall()
        assert [await answer(db), await answer(db)] == [False, False]
        wire.go_on()
        while not await answer(db):
            pass  # bytes take their time, and the test's time flies meanwhile
