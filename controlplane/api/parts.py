"""What the API is built of; wiring makes these."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from controlplane.base.clock import Clock
from controlplane.store.database import Database
from controlplane.store.vault import Vault


class Recordings(Protocol):
    """Where the files of recordings are kept: WAV, 8 or 16 kHz, 16 bit."""

    async def maybe_link(self, key: str, expires_in_s: int) -> str | None:
        """A signed link of the store's own that anyone may follow for so long, or None where it makes none."""
        ...

    def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` to before `end`, piece by piece; raises NotFound before the first."""
        ...

    async def delete(self, key: str) -> None:
        """Take a file away; one that is not there is no error."""
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

    `public_url` is where tenants reach it, without a slash at the end; `link_key` (32 bytes or more, the same in every
    process) signs download links. The database is opened and closed by whoever made it.
    """

    db: Database
    clock: Clock
    vault: Vault
    recordings: Recordings
    public_url: str
    link_key: bytes = field(repr=False)
    meter: Meter = field(default_factory=NoMeter)
    max_body_bytes: int = 1024 * 1024
