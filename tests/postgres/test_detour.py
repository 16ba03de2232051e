"""What becomes of records while the database is away: everything is on record once, in order, when it is back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from controlplane.base.ids import Token
from controlplane.store.detour import Detour
from controlplane.store.heirs import Heirs
from controlplane.store.journal import Recorder, RecorderFull, RecorderState
from controlplane.store.records import CallChanged, EventPublished, JournalConflict, NoteWritten, Record
from controlplane.store.spool import Found, Spool, set_aside_in
from tests.postgres.detours import NOWHERE, WHOLE, States, die, recording, spool_in, whole_call, written
from tests.postgres.sample import VAULT, call_in_shard, entry, offered, rows
from tests.postgres.wire import wire_to


async def test_a_call_that_began_and_ended_while_the_database_was_away_is_whole_when_it_is_back(
    url: str, tmp_path: Path
) -> None:
    states = States()
    async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path), states) as recorder:
        before, during = call_in_shard(1), call_in_shard(2)
        await recorder.submit(whole_call(before)[:2])
        wire.cut()
        for record in [*whole_call(before)[2:], *whole_call(during)]:
            await recorder.submit([record])
        assert recorder.state is RecorderState.DATABASE_AWAY
        assert not recorder.is_settled
        assert written(url) == [(1, "ringing", None, 2, 0, [0, 1], [0, 1], ["(0,0)", "(0,1)"])]
        wire.go_on()
        await states.until(RecorderState.RECORDING)
        assert recorder.is_settled
        assert written(url) == [(1, *WHOLE), (2, *WHOLE)]
    assert list(tmp_path.iterdir()) == []


async def test_what_comes_while_the_database_comes_and_goes_is_on_record_once_and_in_order(
    url: str, tmp_path: Path
) -> None:
    states = States()
    async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path), states) as recorder:
        call = call_in_shard(1)
        await recorder.submit([offered(call)])
        seq = 0
        for _ in range(10):
            wire.cut()
            while recorder.is_settled:
                seq += 1
                await recorder.submit([entry(call, seq, EventPublished(Token(f"{call}.{seq}.0"), "x", "{}"))])
            wire.go_on()
            while not recorder.is_settled:
                seq += 1
                await recorder.submit([entry(call, seq, EventPublished(Token(f"{call}.{seq}.0"), "x", "{}"))])
        assert [row["seq"] for row in rows(url, "SELECT seq FROM journal ORDER BY seq")] == list(range(seq + 1))
        assert [row["sequence"] for row in rows(url, "SELECT sequence FROM events ORDER BY 1")] == list(range(seq))


async def test_a_database_that_hangs_keeps_nobody_waiting(url: str, tmp_path: Path) -> None:
    states = States()
    async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path), states) as recorder:
        call = call_in_shard(1)
        await recorder.submit([offered(call)])
        wire.stall()
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await recorder.submit([entry(call, 1)])
        await recorder.submit([entry(call, 2)])
        assert loop.time() - began_s < 5
        wire.go_on()
        await states.until(RecorderState.RECORDING)
        assert rows(url, "SELECT seq FROM journal ORDER BY seq") == [{"seq": 0}, {"seq": 1}, {"seq": 2}]


class Busy(Spool):
    """A spool into which more comes whenever one looks into it."""

    more: tuple[Record, ...] = ()

    def rotate(self) -> list[Path]:
        ended = super().rotate()
        self._take_more()
        return ended

    def read(self, path: Path) -> Found:
        found = super().read(path)
        self._take_more()
        return found

    def _take_more(self) -> None:
        coming, self.more = self.more[:1], self.more[1:]
        if coming:
            self.append(coming)


async def test_what_comes_while_files_are_read_and_removed_is_not_lost(url: str, tmp_path: Path) -> None:
    opened, is_over = spool_in(tmp_path), asyncio.Event()
    spool = Busy(opened.folder, opened.vault, opened.most_bytes, opened.lock)
    first, *more = whole_call(call_in_shard(1))
    spool.more = tuple(more)
    detour = Detour(url, spool, on_over=is_over.set)
    await detour.begin([first])
    await is_over.wait()
    assert written(url) == [(1, *WHOLE)]
    await detour.stop()
    spool.close()


async def test_what_another_wrote_meanwhile_stays_and_ours_is_set_aside(url: str, tmp_path: Path) -> None:
    ours, untouched = call_in_shard(1), call_in_shard(2)
    states = States()
    async with recording(url, spool_in(tmp_path, "other"), States()) as other:
        await other.submit([offered(ours)])
        async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path), states) as recorder:
            await recorder.submit([offered(untouched)])
            wire.cut()
            await recorder.submit([entry(ours, 1, CallChanged(status="in-progress"), data='{"by":"us"}')])
            await recorder.submit([entry(untouched, 1)])
            await other.submit([entry(ours, 1, data='{"by":"another"}')])
            await recorder.submit([entry(ours, 2)])
            wire.go_on()
            await states.until(RecorderState.RECORDING)
            with pytest.raises(JournalConflict):
                await recorder.submit([entry(ours, 3)])
            recorder.forget(ours)
            await recorder.submit([entry(ours, 2, data='{"read":"anew"}')])
    assert rows(url, "SELECT data::text, shard FROM journal JOIN calls USING (call_id) ORDER BY shard, seq") == [
        {"data": offered(ours).data, "shard": 1},
        {"data": '{"by":"another"}', "shard": 1},
        {"data": '{"read":"anew"}', "shard": 1},
        {"data": offered(untouched).data, "shard": 2},
        {"data": "{}", "shard": 2},
    ]
    [aside] = set_aside_in(tmp_path)
    kept = Spool(tmp_path, VAULT, 0, -1).read(aside)
    assert [(one.call, one.seq) for one in kept.records] == [(ours, 1), (ours, 2)]


async def test_a_record_that_the_database_refuses_takes_no_other_with_it(url: str, tmp_path: Path) -> None:
    good, bad = call_in_shard(1), call_in_shard(2)
    left = spool_in(tmp_path, "dead")
    left.append([*whole_call(good)[:2], offered(bad, NoteWritten(0, "error", 1, "a\0b", "")), *whole_call(good)[2:]])
    left.append([entry(bad, 1)])
    die(left)
    counted: list[tuple[str, int]] = []
    await Heirs(url, tmp_path, tmp_path / "own", VAULT, lambda *told: counted.append(told)).settle()
    assert written(url) == [(1, *WHOLE)]
    assert counted == [("set-aside", 2), ("replayed", 4)]
    assert len(set_aside_in(tmp_path)) == 1


async def test_with_the_disk_full_records_wait_in_memory_and_are_written_when_the_database_is_back(
    url: str, tmp_path: Path
) -> None:
    states = States()
    async with wire_to(url) as wire, recording(wire.url, spool_in(tmp_path, most_bytes=600), states) as recorder:
        call = call_in_shard(1)
        await recorder.submit([offered(call)])
        wire.cut()
        await recorder.submit([entry(call, 1)])
        waiting = [recorder.submit([entry(call, seq)]) for seq in range(2, 8)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=0.2)
        assert not all(one.done() for one in waiting)
        wire.go_on()
        await asyncio.gather(*waiting)
        await states.until(RecorderState.RECORDING)
    assert [row["seq"] for row in rows(url, "SELECT seq FROM journal ORDER BY seq")] == list(range(8))


async def test_a_recorder_that_stops_while_the_database_is_away_leaves_everything_on_the_disk(
    url: str, tmp_path: Path
) -> None:
    call = call_in_shard(1)
    async with recording(NOWHERE, spool_in(tmp_path, "stopped"), States()) as recorder:
        waiting = [recorder.submit([record], is_urgent=False) for record in whole_call(call)]
    await asyncio.gather(*waiting)
    await Heirs(url, tmp_path, tmp_path / "own", VAULT).settle()
    assert written(url) == [(1, *WHOLE)]


async def test_without_a_disk_records_wait_up_to_a_bound(tmp_path: Path) -> None:
    spool = spool_in(tmp_path, most_bytes=0)
    recorder = Recorder(NOWHERE, detour=Detour(NOWHERE, spool), most_waiting=1)
    await recorder.start()
    recorder.submit([offered(call_in_shard(1))])
    with pytest.raises(RecorderFull):
        recorder.submit([offered(call_in_shard(1))])
    await recorder.stop(timeout_s=0)
