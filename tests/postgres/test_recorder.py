"""The Recorder when nothing can be recorded."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from controlplane.store.journal import Recorder, RecorderFull, RecorderState
from tests.postgres.sample import call_in_shard, entry, offered


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
