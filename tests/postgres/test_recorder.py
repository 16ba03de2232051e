"""The Recorder when nothing can be recorded."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import psycopg
import pytest

from controlplane.store.journal import Recorder, RecorderFull, RecorderState
from tests.postgres.sample import call_in_shard, entry, offered

_WAITS = """
    SELECT 1 FROM pg_stat_activity
    WHERE application_name = 'callplane recorder' AND datname = current_database() AND wait_event_type = 'Lock'
"""


async def test_while_the_database_is_away_records_wait_up_to_a_bound() -> None:
    states: list[RecorderState] = []
    recorder = Recorder("postgresql://127.0.0.1:1/none", most_waiting=2, on_state=states.append)
    await recorder.start()
    call = call_in_shard(1)
    waiting = recorder.submit([offered(call), entry(call, 1)])
    with pytest.raises(RecorderFull):
        recorder.submit([entry(call, 2)])
    while recorder.state is RecorderState.RECORDING:
        await asyncio.sleep(0)
    assert not waiting.done()
    await recorder.stop(timeout_s=0)
    with pytest.raises(RecorderFull):
        await waiting
    assert states == [RecorderState.RECORDING, RecorderState.DATABASE_AWAY, RecorderState.STOPPED]


async def test_a_defect_of_ours_is_told_as_nothing_is_recorded_from_there_on() -> None:
    states: list[RecorderState] = []
    recorder = Recorder("postgresql://127.0.0.1:1/none", on_state=states.append)
    await recorder.start()
    defect: Any = object()
    waiting = recorder.submit([defect])
    while recorder.state is not RecorderState.BROKEN:
        await asyncio.sleep(0)
    assert not waiting.done()
    await recorder.stop(timeout_s=0)
    assert states == [RecorderState.RECORDING, RecorderState.BROKEN, RecorderState.STOPPED]


async def test_a_process_that_stood_still_takes_the_answer_that_came_meanwhile(url: str) -> None:
    """A server that was frozen took the database for away as it woke, and put on disk what others had gone on from."""
    states: list[RecorderState] = []
    recorder = Recorder(url, on_state=states.append, answer_timeout_s=0.2)
    await recorder.start()
    call = call_in_shard(1)
    await recorder.submit([offered(call)])
    with psycopg.connect(url) as other, psycopg.connect(url, autocommit=True) as eye:
        other.execute("LOCK TABLE journal")
        waiting = recorder.submit([entry(call, 1)])
        while not eye.execute(_WAITS).fetchall():
            await asyncio.sleep(0)
        other.commit()
        time.sleep(0.5)  # it is answered, and nobody reads that
    await waiting
    await recorder.submit([entry(call, 2)])
    await recorder.stop()
    assert states == [RecorderState.RECORDING, RecorderState.STOPPED]
