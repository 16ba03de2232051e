"""What the API is built of; wiring makes these."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from controlplane.base.clock import Clock
from controlplane.store.database import Database
from controlplane.store.vault import Vault


class Storage(Protocol):
    """Where recordings are kept, WAV files by key; what the API wants of files/storage.py. Raises Unavailable."""

    def open_stream(self, key: str) -> AsyncIterator[bytes]:
        """A file in pieces; raises NotFound with the first."""
        ...

    async def get_file(self, key: str, path: Path) -> None:
        """Write a file into `path`; raises NotFound."""
        ...

    async def size(self, key: str) -> int:
        """How many bytes a file has; raises NotFound."""
        ...

    async def delete(self, key: str) -> None:
        """Remove a file; does nothing if there is none."""
        ...

    async def signed_url(self, key: str, expires_s: int) -> str | None:
        """A link of the store's own that anyone may follow for so long, or None where it makes none."""
        ...


class Editor(Protocol):
    """Makes other files of a recording; what the API wants of files/workshop.py. Raises BadInput, Unavailable."""

    async def make_mp3(self, source: Path, target: Path) -> None:
        """The same as MP3."""
        ...

    async def mix(self, source: Path, target: Path) -> None:
        """Its two channels in one."""
        ...


class Meter(Protocol):
    """Counts and times requests."""

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note one request; `route` is a path with its places in braces, "" where nothing answers."""
        ...


class NoMeter:
    """Counts nothing."""

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True)
class ApiParts:
    """Everything an API process is made of.

    `public_url` is where tenants reach it, without a slash at the end. The first of `link_keys` (32 bytes or more each,
    the same in every process) signs download links, and links signed with any are good. The database is opened and
    closed by whoever made it.
    """

    db: Database
    clock: Clock
    vault: Vault
    storage: Storage
    editor: Editor
    public_url: str
    link_keys: tuple[bytes, ...] = field(repr=False)
    meter: Meter = field(default_factory=NoMeter)
    max_body_bytes: int = 1024 * 1024
