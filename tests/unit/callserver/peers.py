"""Several call servers side by side: the locks that they compete for, and a way to stop one as SIGSTOP does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from controlplane.base.clock import Clock
from controlplane.base.errors import Unavailable
from controlplane.emulator.memory import MemoryNetwork

Place = tuple[str, int]


@dataclass(slots=True)
class Locks:
    """What a database keeps for all servers: who holds which shard."""

    holders: dict[Place, str] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    terms: int = 0
    has_fenced: bool = False
    missing: frozenset[str] = frozenset()  # whose sessions ended with the database, a moment ago

    def end(self, server: str) -> None:
        """End a server's session: its locks are free, and it will find that out when it next asks."""
        self.sessions.pop(server, None)
        self.holders = {place: holder for place, holder in self.holders.items() if holder != server}


@dataclass(slots=True)
class Session:
    """One server's side of the locks. What it believes to own may be wrong until it asks; it is told once."""

    server: str
    locks: Locks
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    is_away: bool = False
    confirmed: int = 0
    term: int = 0
    _is_told: bool = False
    _owned: frozenset[Place] = frozenset()

    @property
    def owned(self) -> frozenset[Place]:
        return self._owned

    @property
    def may_be_driven(self) -> bool:
        return self.locks.has_fenced

    async def open(self) -> None:
        if self.is_away:
            raise Unavailable(None)
        self.locks.sessions[self.server] = self
        self._is_told = False

    async def close(self) -> None:
        self._owned = frozenset()
        self.locks.end(self.server)

    async def try_take(self, node: str, shards: Sequence[int]) -> frozenset[int]:
        self._ask()
        taken = frozenset(shard for shard in shards if (node, shard) not in self.locks.holders)
        self.locks.holders |= {(node, shard): self.server for shard in taken}
        self._owned |= {(node, shard) for shard in taken}
        if taken:
            self.locks.terms += 1
            self.term = self.locks.terms
        return taken

    async def release(self, node: str, shards: Sequence[int]) -> None:
        self._ask()
        for shard in shards:
            self.locks.holders.pop((node, shard), None)
        self._owned -= {(node, shard) for shard in shards}

    async def live_servers(self) -> list[str]:
        self._ask()
        return sorted(self.locks.sessions)

    async def missing_servers(self) -> list[str]:
        self._ask()
        return sorted(self.locks.missing)

    async def fence(self) -> list[str]:
        self._ask()
        return []

    async def confirm(self) -> None:
        self._ask()
        self.confirmed += 1

    def cut_off(self) -> None:
        """The database is away, and no session outlives that: others fence it."""
        self.is_away = self.locks.has_fenced = True
        self.locks.end(self.server)

    def end(self) -> None:
        """The session ends, and that is seen at once."""
        self.locks.end(self.server)
        self._tell()

    def _ask(self) -> None:
        if self.is_away or self.locks.sessions.get(self.server) is not self:
            self._tell()
            raise Unavailable(None)

    def _tell(self) -> None:
        self._owned = frozenset()
        if not self._is_told:
            self._is_told = True
            self.lost.set()


class Sleeper:
    """A clock and a network of one server's own. While it is stopped none of its timers comes, and nothing is read."""

    def __init__(self, clock: Clock, network: MemoryNetwork) -> None:
        self._clock, self.network = clock, network
        self._goes = asyncio.Event()
        self._goes.set()

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def monotonic_s(self) -> float:
        return self._clock.monotonic_s()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._goes.wait()

    def stop(self) -> None:
        self._goes.clear()
        for transport in self.network.transports:
            transport.pause_reading()

    def wake(self) -> None:
        """Go on. Sockets come before timers, as in every event loop."""
        for transport in self.network.transports:
            transport.resume_reading()
        self._goes.set()
