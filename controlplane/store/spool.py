"""The spool: a folder of files in which records wait while PostgreSQL is away.

    CALLPLANE_DATA/spool/<process>/lock              held (flock) for as long as the process lives
                                  /00000001.entries  frames (`frames.py`) of sealed records, only ever added to
                                  /aside.entries     records of this spool that can never be written
                        /aside/                      the same of spools that are empty by now, for an operator

A record counts as recorded when `append` returns: it is on the disk then (fdatasync). What is in the files is sealed
with the platform's key, as there are numbers and documents in it, and only the owner may read them. Files are read and
removed whole, oldest first; `rotate` ends the one that is written to. One thread may add while another reads.

Whoever has the lock may read and remove. When a process dies the kernel lets go of its lock, and any other of this host
takes its spool over (`heirs`). Everything here blocks, and raises OSError if the disk is full or broken.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from controlplane.base.errors import Unavailable
from controlplane.store.frames import frame, scan
from controlplane.store.record_text import read_record, write_record
from controlplane.store.records import Record
from controlplane.store.vault import SecretUnreadable, Vault

_BOUND = "spool"  # what everything is sealed for: nothing else of ours is opened as a record
_SUFFIX = ".entries"
_ASIDE = "aside"
_NEW = ".new"
SEGMENT_BYTES = 4 << 20


class SpoolFull(Unavailable):
    """As many bytes wait on disk as may (CALLPLANE_SPOOL_BYTES); the database has been away too long."""

    slug = "spool-full"


@dataclass(frozen=True, slots=True)
class Found:
    """What one file holds: records in their order, and what in it is no record that can be read."""

    records: tuple[Record, ...]
    unreadable: tuple[bytes, ...]


@dataclass(slots=True)
class Spool:
    """One process's folder, which we have the lock of."""

    folder: Path
    vault: Vault
    most_bytes: int
    lock: int = field(repr=False)
    entries: int = 0
    size_bytes: int = 0
    _segment: int | None = None  # the descriptor of the file that is written to
    _written_bytes: int = 0  # of which so many are whole frames
    _last: int = 0  # its number
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def append(self, records: Iterable[Record]) -> None:
        """Put records on disk, behind all others. Raises SpoolFull, or OSError; then none of them counts."""
        sealed = [frame(self.vault.seal(write_record(record), bound=_BOUND)) for record in records]
        with self._turn:
            self._append(b"".join(sealed))
            self.entries += len(sealed)

    def _append(self, data: bytes) -> None:
        if self.size_bytes + len(data) > self.most_bytes:
            raise SpoolFull(None, most_bytes=self.most_bytes)
        if self._written_bytes >= SEGMENT_BYTES:
            self._end()
        segment = self._segment if self._segment is not None else self._begin()
        try:
            _write_all(segment, data)
            os.fdatasync(segment)
        except OSError:
            self._take_back(segment)
            raise
        self._written_bytes += len(data)
        self.size_bytes += len(data)

    def rotate(self) -> list[Path]:
        """End the file that is written to, and answer all there are: nothing more will be added to any of these."""
        with self._turn:
            self._end()
            return self.waiting()

    def _end(self) -> None:
        if self._segment is not None:
            os.close(self._segment)
        self._segment, self._written_bytes = None, 0

    def waiting(self) -> list[Path]:
        """The files, oldest first, with the one that is written to."""
        return sorted(path for path in self.folder.glob(f"*{_SUFFIX}") if path.stem != _ASIDE)

    def read(self, path: Path) -> Found:
        """What a file holds."""
        return _found(path, self.vault)

    def remove(self, path: Path, records: int = 0) -> None:
        """Every record of this file is in the database or set aside."""
        with self._turn:
            self.size_bytes = max(0, self.size_bytes - path.stat().st_size)
            self.entries = max(0, self.entries - records)
            path.unlink()

    def set_aside(self, records: Sequence[Record], unreadable: Sequence[bytes] = ()) -> None:
        """Keep what can never be written, for an operator to look at; it does not count in the bound."""
        held = [self.vault.seal(write_record(record), bound=_BOUND) for record in records] + list(unreadable)
        path = self.folder / f"{_ASIDE}{_SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write_all(descriptor, b"".join(map(frame, held)))
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    def aside(self) -> Found:
        """What was set aside since the spool was last empty."""
        path = self.folder / f"{_ASIDE}{_SUFFIX}"
        return _found(path, self.vault) if path.exists() else Found((), ())

    def emptied(self) -> None:
        """Nothing waits any more. What was set aside stays, but says nothing of what may wait another time."""
        path = self.folder / f"{_ASIDE}{_SUFFIX}"
        if path.exists():
            kept = self.folder.parent / _ASIDE
            kept.mkdir(mode=0o700, exist_ok=True)
            names = (kept / f"{self.folder.name}-{number}{_SUFFIX}" for number in count(1))
            path.rename(next(name for name in names if not name.exists()))
        self.entries = self.size_bytes = 0

    def close(self) -> None:
        """Let go of it; an empty one leaves nothing behind."""
        self.rotate()
        if not any(map(_size_bytes, self.folder.glob(f"*{_SUFFIX}"))):
            shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self.lock)

    def _begin(self) -> int:
        self._last += 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._segment, self._written_bytes = os.open(self._path, flags, 0o600), 0
        try:
            _sync_folder(self.folder)
        except OSError:
            self._take_back(self._segment)
            raise
        return self._segment

    @property
    def _path(self) -> Path:
        """The file that is written to."""
        return self.folder / f"{self._last:08}{_SUFFIX}"

    def _take_back(self, segment: int) -> None:
        """What was half written goes, with its file if nothing else is there.

        Where even that fails it is damage, which readers pass over.
        """
        with suppress(OSError):
            os.ftruncate(segment, self._written_bytes)
            if self._written_bytes:
                return
            self._path.unlink()
        self._end()


def open_spool(root: Path, name: str, vault: Vault, *, most_bytes: int) -> Spool:
    """A spool of our own under `root`, locked before anybody can see it. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    new, folder = root / f"{name}{_NEW}", root / name
    new.mkdir(mode=0o700)
    lock = os.open(new / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    new.rename(folder)
    _sync_folder(root)
    return Spool(folder, vault, most_bytes, lock)


def maybe_inherit(folder: Path, vault: Vault) -> Spool | None:
    """The spool of a process that died, None while it lives or if another took it. Raises OSError."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None  # another has just been through with it
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_there = os.path.samestat(os.fstat(lock), (folder / "lock").stat())
    except (BlockingIOError, FileNotFoundError):
        is_there = False
    if not is_there:
        os.close(lock)
        return None
    return Spool(folder, vault, 0, lock)


def folders_in(root: Path) -> list[Path]:
    """The folders of all spools under `root`, whosever."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and path.name != _ASIDE and path.suffix != _NEW)


def is_waiting(folder: Path) -> bool:
    """Say whether anything waits in a spool, whosever it is."""
    return any(path.stem != _ASIDE and _size_bytes(path) for path in folder.glob(f"*{_SUFFIX}"))


def set_aside_in(root: Path) -> list[Path]:
    """The files of records that were set aside under `root`, by whichever process."""
    return sorted([*root.glob(f"{_ASIDE}/*{_SUFFIX}"), *root.glob(f"*/{_ASIDE}{_SUFFIX}")])


def _size_bytes(path: Path) -> int:
    with suppress(FileNotFoundError):  # whoever has the spool has just been through with it
        return path.stat().st_size
    return 0


def _found(path: Path, vault: Vault) -> Found:
    scanned = scan(path.read_bytes())
    records: list[Record] = []
    unreadable = list(scanned.damaged)
    for sealed in scanned.held:
        try:
            records.append(read_record(vault.open(sealed, bound=_BOUND)))
        except (SecretUnreadable, ValueError):
            unreadable.append(sealed)
    return Found(tuple(records), tuple(unreadable))


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(folder: Path) -> None:
    """A new name in a folder is safe only when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
