"""Parts of the API that tests hold in their hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

from controlplane.base.errors import NotFound
from tests.postgres.sample import NOW_MS


@dataclass(slots=True)
class StillClock:
    """Time moves when a test moves it."""

    ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def monotonic_s(self) -> float:
        return self.ms / 1000

    def sleep(self, seconds: float) -> Awaitable[None]:
        raise NotImplementedError


@dataclass(slots=True)
class MemoryRecordings:
    """Files in memory; `links` says that the store signs links of its own."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: bool = False

    async def maybe_link(self, key: str, expires_in_s: int) -> str | None:
        return f"https://store.example.com/{key}?for={expires_in_s}" if self.links else None

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        if key not in self.files:
            raise NotFound
        for at in range(start, end, 1000):
            yield self.files[key][at : min(at + 1000, end)]

    async def delete(self, key: str) -> None:
        self.files.pop(key, None)
