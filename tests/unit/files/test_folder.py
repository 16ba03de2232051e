"""A folder of prompts that is never more than full."""

from __future__ import annotations

import errno
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from controlplane.base.errors import BadInput
from controlplane.files.errors import FilesUnavailable, NoRoom
from controlplane.files.folder import Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "prompts", max_bytes=1000, spare_disk=0.0)


async def put(folder: Folder, name: str, size_bytes: int, *, used_s_ago: float = 0.0) -> Path:
    async with folder.partial() as partial:
        partial.write_bytes(b"x" * size_bytes)
        path = folder.take(partial, name)
    os.utime(path, times=(time.time() - used_s_ago,) * 2)
    return path


def names(folder: Folder) -> list[str]:
    return sorted(os.listdir(folder.path))


async def test_a_file_gets_its_name_when_it_is_whole(folder: Folder) -> None:
    async with folder.partial() as partial:
        partial.write_bytes(b"abc")
        assert folder.maybe_find("a.wav") is None
        folder.take(partial, "a.wav")

    assert folder.maybe_find("a.wav") == folder.path / "a.wav"
    assert (folder.path / "a.wav").read_bytes() == b"abc"
    assert (folder.path / "a.wav").stat().st_mode & 0o777 == 0o644
    assert names(folder) == ["a.wav"]


async def test_what_was_not_finished_is_gone(folder: Folder) -> None:
    async def fail() -> None:
        async with folder.partial() as partial:
            partial.write_bytes(b"abc")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    assert names(folder) == []


async def test_the_oldest_go_first_when_room_is_needed(folder: Folder) -> None:
    await put(folder, "a", 300, used_s_ago=9000)
    await put(folder, "b", 300, used_s_ago=7000)
    await put(folder, "c", 300, used_s_ago=8000)

    await put(folder, "d", 500)

    assert names(folder) == ["b", "d"]


async def test_finding_a_file_makes_it_the_most_recent(folder: Folder) -> None:
    await put(folder, "a", 400, used_s_ago=9000)
    await put(folder, "b", 400, used_s_ago=8000)
    folder.maybe_find("a")

    await put(folder, "c", 400)

    assert names(folder) == ["a", "c"]


async def test_what_was_used_within_the_hour_stays_and_the_new_is_refused(folder: Folder) -> None:
    await put(folder, "a", 600, used_s_ago=3000)

    with pytest.raises(NoRoom, match="full of prompts in use"):
        await put(folder, "b", 600)

    assert names(folder) == ["a"]


async def test_two_processes_that_share_a_folder_agree_on_what_is_old(folder: Folder) -> None:
    other = Folder(folder.path, max_bytes=1000, spare_disk=0.0)
    await put(folder, "a", 400, used_s_ago=9000)
    await put(other, "b", 400, used_s_ago=8000)
    other.maybe_find("a")

    for number in range(3):
        await put(folder, f"c{number}", 120)

    assert names(folder) == ["a", "c0", "c1", "c2"]


async def test_the_folder_is_not_looked_at_for_every_file(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    scandir = os.scandir

    def look(path: Path) -> object:
        looks.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", look)

    for number in range(100):
        await put(folder, f"a{number}", 5)

    assert len(looks) == 4


async def test_partial_files_of_processes_that_died_go(folder: Folder) -> None:
    await put(folder, "a", 10)
    for name, age_s in ((".part-old", 9000), (".part-new", 10)):
        (folder.path / name).write_bytes(b"x" * 100)
        os.utime(folder.path / name, times=(time.time() - age_s,) * 2)

    await put(folder, "b", 900)

    assert names(folder) == [".part-new", "a", "b"]


async def test_a_disk_with_little_left_is_not_filled(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path)
    with pytest.raises(NoRoom):
        await put(Folder(tmp_path / "prompts", spare_disk=(free.free + (1 << 30)) / free.total), "a", 10)


async def test_a_full_disk_is_said_to_be_one(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(NoRoom, match="No space left"):
        await put(folder, "a", 10)


async def test_a_folder_that_is_a_file_is_out_of_reach(tmp_path: Path) -> None:
    (tmp_path / "prompts").write_text("")
    folder = Folder(tmp_path / "prompts")

    with pytest.raises(FilesUnavailable):
        await put(folder, "a", 10)
    with pytest.raises(FilesUnavailable):
        folder.maybe_find("a")


async def test_a_copy_leaves_the_original(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")

    assert folder.copy(tmp_path / "a", "b").read_bytes() == b"abc"
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert names(folder) == ["b"]


async def test_a_copy_to_another_disk_is_a_real_one(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", no_link)
    (tmp_path / "a").write_bytes(b"abc")

    assert folder.copy(tmp_path / "a", "b").read_bytes() == b"abc"


async def test_many_threads_write_one_name_and_all_see_it_whole(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 500)
    found: list[bytes] = []

    def work() -> None:
        for _ in range(20):
            found.append(folder.copy(tmp_path / "a", "b").read_bytes())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(found) == {b"x" * 500}
    assert names(folder) == ["b"]


@pytest.mark.parametrize("name", ["../a", ".a", "", "a/b"])
async def test_names_outside_the_folder_are_refused(folder: Folder, name: str) -> None:
    with pytest.raises(BadInput):
        folder.maybe_find(name)
    with pytest.raises(BadInput):
        await put(folder, name, 1)
