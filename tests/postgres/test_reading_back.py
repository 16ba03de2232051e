"""Live calls are read back with their journals, by whoever drives their shards next."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from controlplane.base.ids import CallId, leg_of_call
from controlplane.services.load_live_calls import JournalLine, LiveCall, load_live_calls
from controlplane.store.database import Database
from controlplane.store.heirs import Heirs, SpoolWaits
from controlplane.store.journal import Recorder
from controlplane.store.records import (
    CallChanged,
    LegChanged,
    LegOpened,
)
from controlplane.store.spool import open_spool
from controlplane.wiring.records import DatabaseArchive
from tests.postgres.detours import NOWHERE, States, recording, spool_in
from tests.postgres.sample import ACME, NOW_MS, SERVER, VAULT, call_in_shard, entry, offered

START = datetime.fromtimestamp(NOW_MS / 1000, UTC)


@pytest.fixture
def archive(db: Database, recorder: Recorder, url: str, tmp_path: Path) -> DatabaseArchive:
    return DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / "own", VAULT))


async def test_a_server_finds_the_live_calls_of_its_shards_with_their_journals(
    recorder: Recorder, db: Database
) -> None:
    ours, elsewhere, over = call_in_shard(4), call_in_shard(5), call_in_shard(4)
    await recorder.submit([offered(ours), offered(elsewhere), offered(over), offered(call_in_shard(4), node="fs2")])
    await recorder.submit([entry(over, 1, CallChanged(ended_ms=NOW_MS)), entry(ours, 1, data='{"b":2}')])
    async with db.transaction() as tx:
        found = await load_live_calls(tx, "fs1", [3, 4])
    lines = (
        JournalLine(ours, 0, NOW_MS, "CallOffered", offered(ours).data, b"digest"),
        JournalLine(ours, 1, NOW_MS + 1000, "Something", '{"b":2}', b""),
    )
    assert found == [LiveCall(CallId(ours), ACME, None, lines)]


async def test_a_call_with_its_verdict_is_found_while_nobody_has_told_the_end_of_a_leg(
    recorder: Recorder, db: Database
) -> None:
    """Chaos found it: who took over from a server that died in between never heard of the leg."""
    call, leg = call_in_shard(4), leg_of_call(call_in_shard(4))
    opened = LegOpened(leg, "dial_target", "+15550001111", "+15550003333")
    await recorder.submit([offered(call, opened), entry(call, 1, CallChanged(ended_ms=NOW_MS))])
    async with db.transaction() as tx:
        [found] = await load_live_calls(tx, "fs1", [4])
        assert (found.call_id, found.has_verdict, len(found.journal)) == (call, True, 2)
        assert await load_live_calls(tx, "fs1", [4], but=[call]) == []
        assert await load_live_calls(tx, "fs1", [5]) == []
        assert await load_live_calls(tx, "fs2", [4]) == []
    await recorder.submit([entry(call, 2, LegChanged(leg, ended_ms=NOW_MS))])
    async with db.transaction() as tx:
        assert await load_live_calls(tx, "fs1", [4]) == []


async def test_calls_are_read_back_with_what_a_dead_process_of_this_host_left_on_its_disk(
    recorder: Recorder, archive: DatabaseArchive, tmp_path: Path
) -> None:
    began, over = call_in_shard(1), call_in_shard(1)
    await recorder.submit([offered(over)])
    left = open_spool(tmp_path, "dead", VAULT, most_bytes=1 << 20)
    left.append([offered(began, node="fs1"), entry(over, 1, CallChanged(ended_ms=NOW_MS))])
    with pytest.raises(SpoolWaits):
        await archive.live_calls("fs1", frozenset({1}))
    left.rotate()
    os.close(left.lock)  # as the kernel does
    with pytest.raises(SpoolWaits):  # nobody's news is to wait for that to be written
        await archive.live_calls("fs1", frozenset({1}))
    await archive.settle()
    [stored] = await archive.live_calls("fs1", frozenset({1}))
    assert stored.facts.call == began


async def test_what_waits_on_our_own_disk_keeps_nobody_from_calls_of_other_shards(
    recorder: Recorder, db: Database, url: str, tmp_path: Path
) -> None:
    ours, theirs = call_in_shard(1), call_in_shard(2)
    await recorder.submit([offered(theirs, node="fs1")])
    async with recording(NOWHERE, spool_in(tmp_path), States()) as cut_off:
        await cut_off.submit([offered(ours, node="fs1")])
        archive = DatabaseArchive("one", db, cut_off, Heirs(url, tmp_path, tmp_path / "one", VAULT))
        for shards in ({1}, {1, 2}):
            with pytest.raises(SpoolWaits):
                await archive.live_calls("fs1", frozenset(shards))
        [stored] = await archive.live_calls("fs1", frozenset({2}))
        assert stored.facts.call == theirs
