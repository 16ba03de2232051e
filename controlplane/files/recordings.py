"""What becomes of a finished recording: from its media node, trimmed where that was asked for, into the storage.

Whoever does this may die in the middle and another do it again: the file leaves the node only when the storage has it,
and one that is in the storage and no longer on the node was kept before.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol, TypeAlias

from controlplane.files.errors import RecordingAbsent, UnusableAudio, disk_trouble
from controlplane.files.names import recording_name
from controlplane.files.shelf import Shelf
from controlplane.files.storage import Storage
from controlplane.files.voice_edits import Measured


@dataclass(frozen=True, slots=True)
class Finished:
    """A recording that its media node has ended. `key` is where the storage is to have it."""

    recording: str
    key: str
    is_trimmed: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A recording in the storage."""

    key: str
    duration_ms: int
    channels: int
    size_bytes: int


class Why(Enum):
    """Why there is no recording."""

    NO_FILE = "no-file"
    EMPTY = "empty"
    SILENT = "silent"
    UNREADABLE = "unreadable"  # the file stays where it is, on its node or in the storage, for people to look at


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no recording, and nothing was stored."""

    why: Why


class Work(Enum):
    """What to do with a recording."""

    STORE = "store"
    TRIM = "trim"
    MEND = "mend"  # its media node died while it was made: players would find nothing in it


class Editor(Protocol):
    """Reads and cuts recordings (files/workshop.py). Raises UnusableAudio, FilesUnavailable."""

    async def measure(self, source: Path) -> Measured: ...

    async def trim(self, source: Path, target: Path) -> int: ...

    async def mend(self, source: Path, target: Path) -> int: ...


Decision: TypeAlias = Work | Why


def decide(measured: Measured, *, is_trimmed: bool) -> Decision:
    """Say what to do with a recording, or why there is none."""
    if not measured.duration_ms:
        return Why.EMPTY
    if not is_trimmed:
        return Work.STORE if measured.is_whole else Work.MEND
    return Why.SILENT if measured.voice_ms is None else Work.TRIM


async def keep_recording(
    finished: Finished, shelf: Shelf, storage: Storage, editor: Editor, *, work_in: Path | None = None
) -> Kept | Absent:
    """Move a recording from its node into the storage; may be done again after any failure.

    `work_in` is a folder for copies, with room for the longest recordings; None is the system's for temporary files.
    Raises FilesUnavailable where it can be tried again later: the node, the disk or the storage is out of reach.
    """
    name = recording_name(finished.recording)
    with disk_trouble("a recording cannot be worked on"):
        temporary_folder = tempfile.TemporaryDirectory(prefix="recording-", dir=work_in)
    with temporary_folder as temporary:
        folder = Path(temporary)
        try:
            source = await shelf.collect(name, folder)
        except RecordingAbsent:
            return await _kept_before(finished.key, storage, editor, folder)
        try:
            decision = decide(await editor.measure(source), is_trimmed=finished.is_trimmed)
            if isinstance(decision, Why):
                await shelf.discard(name)
                return Absent(decision)
            if decision is not Work.STORE:
                source = await _edited(source, decision, editor, folder)
            kept = await _store(source, finished.key, storage, editor)
        except UnusableAudio:
            return Absent(Why.UNREADABLE)
        await shelf.discard(name)
        return kept


async def _edited(source: Path, work: Work, editor: Editor, folder: Path) -> Path:
    target = folder / "edited.wav"
    await (editor.trim if work is Work.TRIM else editor.mend)(source, target)
    return target


async def _store(source: Path, key: str, storage: Storage, editor: Editor) -> Kept:
    measured = await editor.measure(source)
    await storage.put_file(key, source)
    return Kept(key, measured.duration_ms, measured.channels, measured.size_bytes)


async def _kept_before(key: str, storage: Storage, editor: Editor, folder: Path) -> Kept | Absent:
    if not await storage.exists(key):
        return Absent(Why.NO_FILE)
    copy = folder / "kept.wav"
    await storage.get_file(key, copy)
    try:
        measured = await editor.measure(copy)
    except UnusableAudio:
        return Absent(Why.UNREADABLE)
    return Kept(key, measured.duration_ms, measured.channels, measured.size_bytes)
