"""What waits on this host's disk for the database, and what was set aside there, for an operator to look at."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.settings import Settings
from controlplane.store.spool import Spool, folders_in, set_aside_in
from controlplane.wiring.places import vault_of
from controlplane.wiring.recording import spools_folder


@dataclass(frozen=True, slots=True)
class WaitingSpool:
    """One process's: what is in its files. `is_readable` is whether all of it could be read with our keys."""

    process: str
    entries: int
    size_bytes: int
    is_readable: bool


@dataclass(frozen=True, slots=True)
class AsideEntry:
    """An entry that could not be written, as its call's journal had another in that place; None: it cannot be read."""

    file: str
    call: str | None
    seq: int | None
    kind: str | None
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class SpoolReport:
    """All of this host's."""

    waiting: tuple[WaitingSpool, ...]
    aside: tuple[AsideEntry, ...]


def look_at_spools(settings: Settings) -> SpoolReport:
    """Read everything; nothing is changed. Raises OSError."""
    root = spools_folder(settings)
    if not root.is_dir():
        return SpoolReport((), ())
    vault = vault_of(settings)
    reader = Spool(root, vault, 0, -1)
    waiting = []
    for folder in folders_in(root):
        files = Spool(folder, vault, 0, -1).waiting()
        found = [reader.read(path) for path in files]
        if files:
            entries, size_bytes = sum(len(one.records) for one in found), sum(path.stat().st_size for path in files)
            waiting.append(WaitingSpool(folder.name, entries, size_bytes, not any(one.unreadable for one in found)))
    aside: list[AsideEntry] = []
    for path in set_aside_in(root):
        read = reader.read(path)
        name = str(path.relative_to(root))
        aside += [AsideEntry(name, one.call, one.seq, one.kind, one.at_ms) for one in read.records]
        aside += [AsideEntry(name, None, None, None, None) for _ in read.unreadable]
    return SpoolReport(tuple(waiting), tuple(aside))
