"""What a process left on its disk when it was killed: whoever comes after it writes that first."""

from __future__ import annotations

from pathlib import Path

import pytest

from controlplane.store.heirs import Heirs, SpoolWaits
from tests.postgres.detours import WHOLE, States, die, recording, spool_in, whole_call, written
from tests.postgres.sample import VAULT, call_in_shard, offered


async def test_whoever_comes_after_a_process_that_was_killed_writes_what_it_left(url: str, tmp_path: Path) -> None:
    left = spool_in(tmp_path, "dead")
    call = call_in_shard(1)
    left.append(whole_call(call)[:2])
    left.rotate()
    left.append(whole_call(call)[2:])
    heirs = Heirs(url, tmp_path, tmp_path / "own", VAULT, patience_s=60)
    with pytest.raises(SpoolWaits):
        await heirs.settle()
    assert written(url) == []
    die(left)
    await heirs.settle()
    assert written(url) == [(1, *WHOLE)]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files", [0, 1, 2])
async def test_an_heir_that_died_midway_leaves_the_rest_to_the_next(url: str, tmp_path: Path, files: int) -> None:
    left = spool_in(tmp_path, "dead")
    call = call_in_shard(1)
    for record in whole_call(call):
        left.append([record])
        left.rotate()
    die(left)
    async with recording(url, spool_in(tmp_path, "first heir"), States()) as first:
        await first.submit(whole_call(call)[: files + 1])  # written, and one file less removed
    for path in left.waiting()[:files]:
        path.unlink()
    await Heirs(url, tmp_path, tmp_path / "own", VAULT).settle()
    assert written(url) == [(1, *WHOLE)]


async def test_a_living_process_that_never_comes_to_it_is_not_waited_for_for_ever(url: str, tmp_path: Path) -> None:
    stuck, heirs = spool_in(tmp_path, "stuck"), Heirs(url, tmp_path, tmp_path / "own", VAULT, patience_s=0)
    stuck.append([offered(call_in_shard(1))])
    with pytest.raises(SpoolWaits):
        await heirs.insist()
    await heirs.settle()
    await heirs.insist()
    assert await heirs.holds("stuck")


async def test_a_process_that_came_to_it_is_waited_for_again_another_time(url: str, tmp_path: Path) -> None:
    living, heirs = spool_in(tmp_path, "living"), Heirs(url, tmp_path, tmp_path / "own", VAULT, patience_s=0)
    living.append([offered(call_in_shard(1))])
    await heirs.settle()
    for path in living.rotate():
        living.remove(path, 1)
    await heirs.settle()
    assert not await heirs.holds("living")
    living.append([offered(call_in_shard(2))])
    heirs.patience_s = 60
    with pytest.raises(SpoolWaits):
        await heirs.settle()
    with pytest.raises(SpoolWaits):
        await heirs.insist()


async def test_a_spool_that_cannot_be_read_keeps_nobody_from_all_other_calls(url: str, tmp_path: Path) -> None:
    left = spool_in(tmp_path, "dead")
    left.append([offered(call_in_shard(1))])
    die(left)
    (left.folder / "00000002.entries").mkdir()
    heirs = Heirs(url, tmp_path, tmp_path / "own", VAULT)
    await heirs.settle()
    await heirs.insist()
