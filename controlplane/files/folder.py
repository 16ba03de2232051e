"""A folder of prompts that is never more than full, shared by whoever likes.

Names are made of content (files/names.py), so a file never changes and two that write one name write the same thing.
How recently a file was used is its modification time, which everyone who uses it moves; so several processes, and media
nodes over a shared file system, agree on what is old without talking. What was used within `keep_s` stays, as a call
may be about to play it; what is older goes when room is needed, the oldest first.

All methods but `partial` block: call them in a thread.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.files.errors import NoRoom, disk_trouble
from controlplane.files.names import safe_name

_PARTIAL = ".part-"
_SHARE = 8  # a look at the folder is good for an eighth of it: others write here too
_WRITING = "the prompts folder cannot be written"


@dataclass(frozen=True, slots=True)
class _Kept:
    used_s: float
    size_bytes: int
    path: Path


class Folder:
    """Files by name. `spare_disk` is the part of the disk that is left free, for the recordings."""

    def __init__(
        self, path: Path, *, max_bytes: int = 4 << 30, keep_s: float = 3600.0, spare_disk: float = 0.05
    ) -> None:
        self.path = path
        self._max_bytes, self._keep_s, self._spare_disk = max_bytes, keep_s, spare_disk
        self._lock = threading.Lock()
        self._granted_bytes = 0  # what may be written before the folder is looked at again

    def maybe_find(self, name: str) -> Path | None:
        """The file of this name, now the most recently used; None if there is none."""
        path = self.path / safe_name(name)
        with disk_trouble("the prompts folder cannot be read"):
            try:
                os.utime(path)
            except FileNotFoundError:
                return None
        return path

    @asynccontextmanager
    async def partial(self) -> AsyncIterator[Path]:
        """A file to write into before it has a name, gone afterwards unless `take` was called with it."""
        partial = await asyncio.to_thread(self._begin)
        try:
            yield partial
        finally:
            await asyncio.to_thread(partial.unlink, missing_ok=True)

    def take(self, partial: Path, name: str) -> Path:
        """Give a partial file its name, readable for media nodes; raises NoRoom. It is there whole or not at all."""
        path = self.path / safe_name(name)
        with disk_trouble(_WRITING):
            self._make_room(partial.stat().st_size)
            partial.chmod(0o644)
            os.utime(partial)
            partial.replace(path)
        return path

    def copy(self, source: Path, name: str) -> Path:
        """Put a copy of a file under a name; raises NoRoom. Costs no space on one file system."""
        partial = self._begin()
        try:
            with disk_trouble(_WRITING):
                partial.unlink()
                try:
                    os.link(source, partial)
                except OSError:
                    shutil.copyfile(source, partial)
            return self.take(partial, name)
        finally:
            partial.unlink(missing_ok=True)

    def _begin(self) -> Path:
        with disk_trouble(_WRITING):
            self.path.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_PARTIAL, dir=self.path)
        os.close(handle)
        return Path(name)

    def _make_room(self, size_bytes: int) -> None:
        with self._lock:
            if size_bytes > self._granted_bytes:
                used_bytes = self._evict_for(size_bytes)
                self._granted_bytes = min(self._max_bytes - used_bytes, max(self._max_bytes // _SHARE, size_bytes))
            self._granted_bytes -= size_bytes

    def _evict_for(self, size_bytes: int) -> int:
        """Remove old files until there is room; answer how much is used. Raises NoRoom."""
        kept = sorted(self._look(), key=lambda file: file.used_s)
        used_bytes = sum(file.size_bytes for file in kept)
        newest_to_go_s = time.time() - self._keep_s
        for file in kept:
            if file.used_s > newest_to_go_s or self._has_room(used_bytes, size_bytes):
                break
            if _used_s(file.path) == file.used_s:  # nobody took it up since
                file.path.unlink(missing_ok=True)
                used_bytes -= file.size_bytes
        if not self._has_room(used_bytes, size_bytes):
            raise NoRoom("the prompts folder is full of prompts in use")
        return used_bytes

    def _look(self) -> Iterator[_Kept]:
        """The files with a name. What is partial and old was left by a process that died, and goes."""
        with os.scandir(self.path) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if not stat.S_ISREG(status.st_mode):
                    continue
                if entry.name.startswith(_PARTIAL):
                    if status.st_mtime < time.time() - self._keep_s:
                        Path(entry.path).unlink(missing_ok=True)
                    continue
                yield _Kept(status.st_mtime, status.st_size, Path(entry.path))

    def _has_room(self, used_bytes: int, size_bytes: int) -> bool:
        disk = shutil.disk_usage(self.path)
        return used_bytes + size_bytes <= self._max_bytes and disk.free - size_bytes >= disk.total * self._spare_disk


def _used_s(path: Path) -> float | None:
    try:
        return path.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return None
