"""Parts of the API that tests hold in their hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from pathlib import Path

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
class MemoryStorage:
    """Files in memory; `links` says that the store signs links of its own."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: bool = False
    is_away: bool = False

    async def open_stream(self, key: str) -> AsyncIterator[bytes]:
        content = await self._content(key)
        for at in range(0, len(content), 1000):
            yield content[at : at + 1000]

    async def get_file(self, key: str, path: Path) -> None:
        path.write_bytes(await self._content(key))

    async def size(self, key: str) -> int:
        return len(await self._content(key))

    async def delete(self, key: str) -> None:
        if self.is_away:
            raise OSError
        self.files.pop(key, None)

    async def signed_url(self, key: str, expires_s: int) -> str | None:
        return f"https://store.example.com/{key}?for={expires_s}" if self.links else None

    async def _content(self, key: str) -> bytes:
        if key not in self.files:
            raise NotFound
        return self.files[key]


class LabellingEditor:
    """Writes what it was asked to do instead of sound."""

    async def make_mp3(self, source: Path, target: Path) -> None:
        target.write_bytes(b"mp3 of " + source.read_bytes())

    async def mix(self, source: Path, target: Path) -> None:
        target.write_bytes(b"mix of " + source.read_bytes())


@dataclass(slots=True)
class ListingMeter:
    """Remembers what was measured."""

    seen: list[tuple[str, str, int]] = field(default_factory=list)

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self.seen.append((method, route, status))
