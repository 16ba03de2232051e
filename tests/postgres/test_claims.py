"""Calls that were claimed and of which nothing is on record: whether they are still to be dialled."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from controlplane.base.causes import Cause
from controlplane.callserver.ports import Stored
from controlplane.store.database import Database
from controlplane.store.heirs import Heirs
from controlplane.store.journal import Recorder
from controlplane.store.queue import Limits, claim_calls
from controlplane.store.records import JournalConflict
from controlplane.store.spool import open_spool
from controlplane.wiring.records import FRESH_S, DatabaseArchive
from tests.postgres.sample import SERVER, VAULT, add_account, call_in_shard, entry, facts_of, offered, queue_call, rows

WIDE = Limits(cps_limit=1000, channel_cap=1000, gateway="gw", gateway_cps_limit=1000, gateway_channel_cap=1000)
SIBLING, STRANGER = "here-2-cd", "there-1-ef"
OLD_S = FRESH_S + 0.5


@pytest.fixture
def archive(db: Database, recorder: Recorder, url: str, tmp_path: Path) -> DatabaseArchive:
    return DatabaseArchive(SERVER, db, recorder, Heirs(url, tmp_path, tmp_path / SERVER, VAULT, patience_s=0))


async def claimed(db: Database, url: str, archive: DatabaseArchive, by: str | None, ago_s: float) -> Stored:
    call = call_in_shard(1)
    await add_account(db)
    await queue_call(db, call)
    await claim_calls(db, [("fs1", 1)], WIDE, server_id=by or "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE calls SET claimed_by = nullif(claimed_by, ''), claimed_at = claimed_at - make_interval(secs => %s)",
            [ago_s],
        )
    [stored] = await archive.live_calls("fs1", frozenset({1}))
    assert stored.facts == facts_of(call, node="fs1")
    return stored


@pytest.mark.parametrize(
    ("by", "ago_s", "may_have_been"),
    [
        (SERVER, OLD_S, False),
        (SIBLING, OLD_S, False),
        (STRANGER, 0, False),
        (STRANGER, OLD_S, True),
        ("here-too-1-ef", OLD_S, True),
        (None, 0, False),
        (None, OLD_S, True),  # an older version did not say
    ],
)
async def test_what_another_host_claimed_some_time_ago_may_have_been_dialled(
    db: Database, url: str, archive: DatabaseArchive, by: str | None, ago_s: float,
    may_have_been: bool,
) -> None:  # fmt: skip
    """A review found it: a host died with the first entry on its disk, and the next one dialled again."""
    assert (await claimed(db, url, archive, by, ago_s)).may_have_been_dialled is may_have_been


async def test_a_sibling_that_has_entries_on_our_disk_may_have_dialled(
    db: Database, url: str, archive: DatabaseArchive, tmp_path: Path
) -> None:
    spool = open_spool(tmp_path, SIBLING, VAULT, most_bytes=1 << 20)
    spool.append([offered(call_in_shard(2))])
    await archive.settle()  # nobody waits for it any more
    assert (await claimed(db, url, archive, SIBLING, OLD_S)).may_have_been_dialled
    spool.rotate()
    os.close(spool.lock)
    await archive.settle()
    found = await archive.live_calls("fs1", frozenset({1}))
    assert [one.may_have_been_dialled for one in found] == [False]


async def test_who_wrote_of_it_has_dialled_whoever_that_was(
    db: Database, url: str, recorder: Recorder, archive: DatabaseArchive
) -> None:
    stored = await claimed(db, url, archive, STRANGER, OLD_S)
    await recorder.submit([replace(offered(stored.facts.call), writes=())])
    [stored] = await archive.live_calls("fs1", frozenset({1}))
    assert (len(stored.entries), stored.may_have_been_dialled) == (1, False)


async def test_a_call_that_may_have_been_dialled_is_lost_on_record_and_its_claimants_entries_come_too_late(
    db: Database, url: str, recorder: Recorder, archive: DatabaseArchive
) -> None:
    stored = await claimed(db, url, archive, STRANGER, OLD_S)
    assert await archive.write_off(stored.facts, Cause.LOST) == []
    assert rows(url, "SELECT status, result, reason, cause, ended_at IS NOT NULL AS is_over FROM calls") == [
        {"status": "failed", "result": "failed", "reason": "lost", "cause": "LOST", "is_over": True}
    ]
    assert rows(url, "SELECT kind FROM journal ORDER BY seq") == [{"kind": "CallPlaced"}, {"kind": "LegEnded"}]
    assert rows(url, "SELECT kind, data->>'reason' AS reason FROM events ORDER BY sequence")[-1:] == [
        {"kind": "call.failed", "reason": "lost"}
    ]
    with pytest.raises(JournalConflict):
        await recorder.submit([entry(stored.facts.call, 0)])
