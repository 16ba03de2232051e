"""A spool in a folder, whatever stops its writer. A file may grow no further where a test says so: a full disk."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controlplane.base import ids
from controlplane.base.ids import AccountId, CallId
from controlplane.store import spool as spools
from controlplane.store.records import CallChanged, Record
from controlplane.store.spool import Found, Spool, SpoolFull, folders_in, is_waiting, maybe_inherit, open_spool
from controlplane.store.vault import Vault

VAULT = Vault([b"k" * 32])
CALL = CallId(ids.mint("cs", 1, b"0123456789"))
ROOM = 1 << 20


def record(seq: int) -> Record:
    return Record(AccountId("acc"), CALL, seq, seq * 1000, "Something", "{}", b"", (CallChanged(status="ringing"),))


def opened(root: Path, name: str = "one", most_bytes: int = ROOM) -> Spool:
    return open_spool(root, name, VAULT, most_bytes=most_bytes)


def read(spool: Spool) -> Found:
    found = [spool.read(path) for path in spool.waiting()]
    return Found(tuple(r for one in found for r in one.records), tuple(u for one in found for u in one.unreadable))


def die(spool: Spool) -> None:
    """What the kernel does with the files of a process that was killed."""
    spool.rotate()
    os.close(spool.lock)


@contextmanager
def disk_with_room(bytes_of_each_file: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_of_each_file, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_records_are_read_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0), record(1)])
    spool.append([record(2)])
    spool.rotate()
    spool.append([record(3)])
    assert read(spool) == Found(tuple(map(record, range(4))), ())
    assert (len(spool.waiting()), spool.entries) == (2, 4)


def test_nothing_is_added_to_a_file_that_is_about_to_be_removed(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])
    files = spool.rotate()
    spool.append([record(1)])
    for path in files:
        spool.remove(path, 1)
    spool.append([record(2)])
    assert read(spool) == Found((record(1), record(2)), ())


def test_files_end_when_they_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spools, "SEGMENT_BYTES", 300)
    spool = opened(tmp_path)
    for seq in range(4):
        spool.append([record(seq)])
    assert len(spool.waiting()) == 2
    assert read(spool) == Found(tuple(map(record, range(4))), ())


def test_a_spool_takes_no_more_than_its_bound_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    spool = opened(tmp_path, most_bytes=600)
    spool.append([record(0), record(1)])
    with pytest.raises(SpoolFull):
        spool.append([record(2), record(3)])
    assert read(spool) == Found((record(0), record(1)), ())
    spool.rotate()
    spool.remove(spool.waiting()[0], 2)
    spool.append([record(2)])
    assert (read(spool), spool.entries) == (Found((record(2),), ()), 1)


def test_what_a_full_disk_did_not_take_counts_for_nothing_and_hides_nothing(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])
    with disk_with_room(spool.size_bytes + 100), pytest.raises(OSError, match="File too large"):
        spool.append([record(1)])
    assert read(spool) == Found((record(0),), ())
    spool.append([record(1)])
    assert read(spool) == Found((record(0), record(1)), ())


def test_a_file_into_which_the_full_disk_took_nothing_is_not_left(tmp_path: Path) -> None:
    """A review found it: whoever took over from this process waited for that file as long as it lived."""
    spool = opened(tmp_path)
    with disk_with_room(0), pytest.raises(OSError, match="File too large"):
        spool.append([record(0)])
    assert (spool.waiting(), is_waiting(spool.folder)) == ([], False)
    spool.append([record(0)])
    assert is_waiting(spool.folder)
    assert read(spool) == Found((record(0),), ())


def test_an_empty_file_is_nothing_that_waits_and_goes_with_its_spool(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    (spool.folder / "00000001.entries").touch()
    assert not is_waiting(spool.folder)
    spool.close()
    assert folders_in(tmp_path) == []


def test_of_what_a_disk_took_a_piece_of_as_it_filled_nothing_is_read_and_nothing_else_is_lost(tmp_path: Path) -> None:
    """The kernel writes what there is room for and says so; only the next write of the rest fails."""
    spool = opened(tmp_path)
    spool.append([record(0), record(1)])
    kept_bytes = spool.size_bytes
    torn = [record(2), record(3)]
    for more_bytes in (1, 3, 4, 11, 12, 13, kept_bytes // 2, kept_bytes // 2 + 5, kept_bytes - 1):
        with disk_with_room(kept_bytes + more_bytes), pytest.raises(OSError, match="File too large"):
            spool.append(torn)
        assert read(spool) == Found((record(0), record(1)), ())
        assert (spool.entries, spool.size_bytes) == (2, kept_bytes)
    spool.append(torn)
    die(spool)
    heir = maybe_inherit(spool.folder, VAULT)
    assert heir is not None
    assert read(heir) == Found(tuple(map(record, range(4))), ())


def test_a_piece_that_cannot_be_taken_back_is_damage_and_what_follows_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])

    def refuse(_descriptor: int, _length: int) -> None:
        raise OSError

    with monkeypatch.context() as broken, disk_with_room(spool.size_bytes + 20):
        broken.setattr(os, "ftruncate", refuse)
        with pytest.raises(OSError, match="File too large"):
            spool.append([record(1)])
    spool.append([record(1)])
    assert read(spool) == Found((record(0), record(1)), ())
    assert [len(path.read_bytes()) > 0 for path in spool.waiting()] == [True, True]


def test_a_writer_that_dies_anywhere_in_an_append_leaves_all_that_was_safe(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])
    spool.append([record(1), record(2)])
    die(spool)
    [path] = spool.waiting()
    whole = path.read_bytes()
    ends = [end for end in range(len(whole) + 1) if end in (0, len(whole)) or whole[end : end + 4] == whole[:4]]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        heir = maybe_inherit(spool.folder, VAULT)
        assert heir is not None
        held = sum(1 for end in ends[1:] if end <= cut)
        assert read(heir) == Found(tuple(map(record, range(held))), ())
        die(heir)


def test_the_spool_of_a_process_that_lives_is_nobody_elses(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])
    assert maybe_inherit(spool.folder, VAULT) is None
    die(spool)
    heir = maybe_inherit(spool.folder, VAULT)
    assert heir is not None
    assert maybe_inherit(spool.folder, VAULT) is None
    assert read(heir) == Found((record(0),), ())


HOLDS_A_LOCK = (
    "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
)


def test_the_spool_of_a_process_that_was_killed_is_inherited(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])
    die(spool)
    arguments = [sys.executable, "-c", HOLDS_A_LOCK, str(spool.folder / "lock")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert maybe_inherit(spool.folder, VAULT) is None
        process.kill()
        process.wait()
    heir = maybe_inherit(spool.folder, VAULT)
    assert heir is not None
    assert read(heir) == Found((record(0),), ())
    die(heir)


def test_an_empty_spool_leaves_nothing_behind(tmp_path: Path) -> None:
    opened(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_inherited_by_nobody(tmp_path: Path) -> None:
    assert maybe_inherit(tmp_path / "gone", VAULT) is None
    assert folders_in(tmp_path / "none") == []


def test_what_is_set_aside_stays_when_the_spool_is_empty(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    for seq in range(2):
        spool.set_aside([record(seq)])
        assert spool.aside() == Found((record(seq),), ())
        spool.emptied()
        assert spool.aside() == Found((), ())
    spool.close()
    assert [path.name for path in spools.set_aside_in(tmp_path)] == ["one-1.entries", "one-2.entries"]
    assert folders_in(tmp_path) == []


def test_nobody_but_the_owner_and_the_platforms_key_can_read_it(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    spool.append([record(0)])
    spool.set_aside([record(1)])
    paths = [spool.folder, *spool.folder.iterdir()]
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}
    [path] = spool.waiting()
    assert b"Something" not in path.read_bytes()
    other = Spool(spool.folder, Vault([b"o" * 32]), 0, -1)
    found = read(other)
    assert (found.records, len(found.unreadable)) == ((), 1)
    other.set_aside((), found.unreadable)
    assert spool.aside().records == (record(1), record(0))
