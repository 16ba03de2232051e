"""Journal entries on the disk of our processes' hosts: `<spool>/<process>/*.entries`.

What can never be written is kept as aside.entries, or below `<spool>/aside`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file in which something waits, or has been set aside."""

    path: str
    size_bytes: int
    is_aside: bool


def read_spool(folder: Path) -> Iterator[SpoolFile]:
    """The files of a spool folder that hold anything; none if the folder is not there."""
    for path in sorted(folder.glob("*/*.entries")):
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError:
            continue  # its process has just been through with it
        if size_bytes:
            name = str(path.relative_to(folder))
            yield SpoolFile(name, size_bytes, is_aside=_ASIDE in (path.stem, path.parent.name))
