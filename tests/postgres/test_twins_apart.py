"""Two that drive one call in one process write its journal: at different places, over the disk, in bad moments."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controlplane.store.journal import Recorder
from controlplane.store.records import JournalConflict
from tests.postgres.detours import States, recording, spool_in
from tests.postgres.sample import call_in_shard, entry, offered, rows
from tests.postgres.test_journal import break_sessions
from tests.postgres.wire import wire_to

FIRST, SECOND = '{"by":"the first"}', '{"by":"the second"}'
JOURNAL = "SELECT seq, data->>'by' AS by FROM journal WHERE seq > 0 ORDER BY seq"


async def test_the_end_of_a_call_is_kept_where_whoever_took_it_up_anew_wants_an_earlier_place(
    recorder: Recorder, url: str
) -> None:
    """The last entry but one was committed between the reading and the second end: both ends are refused again."""
    call = call_in_shard(1)
    await recorder.submit([offered(call)])
    await recorder.submit([entry(call, 1, data=FIRST)])
    results = await asyncio.gather(
        recorder.submit([entry(call, 2, data=FIRST)]),
        recorder.submit([entry(call, 1, data=SECOND)]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), JournalConflict]
    assert rows(url, JOURNAL) == [{"seq": 1, "by": "the first"}, {"seq": 2, "by": "the first"}]


async def test_the_end_of_a_call_is_kept_where_both_wrote_twice_and_the_batch_was_full_in_between(
    recorder: Recorder, url: str
) -> None:
    call = call_in_shard(1)
    await recorder.submit([offered(call)])
    await recorder.submit([entry(call, 1, data=FIRST)])
    results = await asyncio.gather(
        recorder.submit([entry(call, 2, data=FIRST)]),
        recorder.submit([entry(call, 1, data=SECOND)]),
        recorder.submit([entry(call, 2, data=SECOND)]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), JournalConflict, JournalConflict]
    assert rows(url, JOURNAL) == [{"seq": 1, "by": "the first"}, {"seq": 2, "by": "the first"}]


@pytest.mark.parametrize(
    "most_at_once", [2, 3]
)  # with 3 the journal has a gap then, and nobody can go on with the call
async def test_what_follows_the_second_of_twins_is_refused_though_the_database_went_away_meanwhile(
    url: str, most_at_once: int
) -> None:
    """The call is lost to the second only when the first is written: that fails here, and what follows gets in."""
    recorder = Recorder(url, most_at_once=most_at_once)
    await recorder.start()
    call = call_in_shard(1)
    await recorder.submit([offered(call)])
    break_sessions(url, "callplane recorder")
    results = await asyncio.gather(
        recorder.submit([entry(call, 1, data=FIRST)]),
        *(recorder.submit([entry(call, seq, data=SECOND)]) for seq in (1, 2, 3)),
        return_exceptions=True,
    )
    await recorder.stop()
    assert rows(url, JOURNAL) == [{"seq": 1, "by": "the first"}]
    assert [type(result) for result in results] == [type(None), *[JournalConflict] * 3]


async def test_of_two_that_write_one_place_at_once_whoever_came_first_has_it_on_the_disk_too(
    url: str, tmp_path: Path
) -> None:
    """Both count as recorded, so both do what must not be done twice."""
    async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path), States()) as recorder:
        call = call_in_shard(1)
        await recorder.submit([offered(call)])
        wire.cut()
        await recorder.submit([offered(call_in_shard(1))])
        results = await asyncio.gather(
            recorder.submit([entry(call, 1, data=FIRST)]),
            recorder.submit([entry(call, 1, data=SECOND)]),
            return_exceptions=True,
        )
        assert [type(result) for result in results] == [type(None), JournalConflict]


async def test_what_follows_the_second_of_twins_is_refused_on_the_disk_too(url: str, tmp_path: Path) -> None:
    """Twins are found, then the database is away: the first takes the detour, and so does what follows the second."""
    states = States()
    async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path), states) as recorder:
        recorder._most_at_once = 2
        call = call_in_shard(1)
        await recorder.submit([offered(call)])
        wire.cut()
        results = await asyncio.gather(
            recorder.submit([entry(call, 1, data=FIRST)]),
            recorder.submit([entry(call, 1, data=SECOND)]),
            recorder.submit([entry(call, 2, data=SECOND)]),
            return_exceptions=True,
        )
        wire.go_on()
        while not recorder.is_settled:
            await asyncio.sleep(0.01)
        assert rows(url, JOURNAL) == [{"seq": 1, "by": "the first"}]
        assert [type(result) for result in results] == [type(None), JournalConflict, JournalConflict]


async def test_a_batch_of_groups_of_several_calls_ends_each_once(recorder: Recorder, url: str) -> None:
    calls = [call_in_shard(index) for index in range(4)]
    await recorder.submit([offered(call) for call in calls])
    groups = [
        [entry(calls[0], 1, data=FIRST), entry(calls[1], 1, data=FIRST)],
        [entry(calls[2], 1, data=FIRST), entry(calls[0], 1, data=SECOND)],
        [entry(calls[2], 1, data=SECOND)],
        [entry(calls[3], 1, data=FIRST), entry(calls[3], 1, data=SECOND)],
        [],
        [entry(calls[1], 2, data=FIRST), entry(calls[3], 1, data=SECOND)],
        [entry(calls[0], 1, data=FIRST)],
    ]
    results = await asyncio.gather(*map(recorder.submit, groups), return_exceptions=True)
    assert [result is None for result in results] == [True, False, False, False, True, False, False]
    assert recorder.waiting == 0
    assert rows(url, "SELECT count(*) AS n FROM journal WHERE seq > 0") == [{"n": 2}]
