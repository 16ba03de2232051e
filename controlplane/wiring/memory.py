"""What the call server needs of the world, in memory: for the simulator and for tests without a database."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.errors import Conflict
from controlplane.base.ids import AccountId, CallId, LegId, leg_of_call, shard_of
from controlplane.calls.commands import Command
from controlplane.calls.events import CallOffered, CallPlaced, Entry
from controlplane.calls.facts import Facts
from controlplane.calls.machine import CallMachine
from controlplane.calls.timeline import Moment, tell
from controlplane.callserver.ports import Request, Route, Stored


@dataclass(slots=True)
class MemoryJournal:
    """Keeps every entry and what came of it; safe at once, or refused if its place is taken. An archive, too."""

    entries: dict[CallId, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    commands: dict[CallId, list[tuple[Command, ...]]] = field(default_factory=lambda: defaultdict(list))
    moved: dict[CallId, tuple[str, int]] = field(default_factory=dict)  # node, and how often
    written_off: dict[CallId, Cause] = field(default_factory=dict)

    def submit(
        self,
        machine: CallMachine,
        entry: Entry,
        commands: tuple[Command, ...],
        *,
        is_urgent: bool,  # noqa: ARG002
    ) -> asyncio.Future[None]:
        call = machine.facts.call
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if entry.seq != len(self.entries[call]):
            done.set_exception(Conflict("Another process wrote this place of the journal.", call=call))
            return done
        self.entries[call].append(entry)
        self.commands[call].append(commands)
        done.set_result(None)
        return done

    @property
    def is_settled(self) -> bool:
        return True

    def timelines(self) -> dict[str, list[Moment]]:
        """Every call's timeline, in the order they began."""
        return {call: tell(entries) for call, entries in self.entries.items()}

    def all_are_over(self) -> bool:
        """Say whether no call goes on."""
        return all(_is_over(entries) for entries in self.entries.values())

    async def count_live(self, apps: Sequence[str]) -> Mapping[str, int]:
        live = [_facts_of(entries[0]).app for entries in self.entries.values() if not _is_over(entries)]
        return {app: live.count(app) for app in apps}

    async def settle(self) -> None:
        return

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        left_out = {*but, *self.written_off}
        here = [call for call in self.entries if call not in left_out and self._place(call)[0] == node]
        stored = [
            Stored(_facts_of(self.entries[call][0]), tuple(self.entries[call]), self._place(call)[1]) for call in here
        ]
        return [one for one in stored if shard_of(one.facts.a_leg) in shards and not _is_over(one.entries)]

    async def over(self, calls: Sequence[CallId]) -> Sequence[CallId]:
        return [
            one for one in calls if one in self.written_off or (one in self.entries and _is_over(self.entries[one]))
        ]

    async def write_off(self, facts: Facts, cause: Cause) -> Sequence[LegId]:
        self.written_off[facts.call] = cause
        return ()

    def move(self, node: str, to: str, a_legs: Collection[LegId]) -> None:
        """Give the calls of these A-legs to another node."""
        for call, entries in self.entries.items():
            if self._place(call)[0] == node and leg_of_call(call) in a_legs and not _is_over(entries):
                self.moved[call] = (to, self._place(call)[1] + 1)

    def a_legs_of(self, node: str) -> frozenset[LegId]:
        """Those of the live calls of a node."""
        live = (call for call, entries in self.entries.items() if not _is_over(entries))
        return frozenset(leg_of_call(call) for call in live if self._place(call)[0] == node)

    def _place(self, call: CallId) -> tuple[str, int]:
        return self.moved.get(call, (_facts_of(self.entries[call][0]).node, 0))


def _facts_of(entry: Entry) -> Facts:
    assert isinstance(entry.event, CallOffered | CallPlaced)
    return entry.event.facts


def _is_over(entries: Sequence[Entry]) -> bool:
    machine = CallMachine()
    for entry in entries:
        machine.handle(entry)
    return machine.is_over


@dataclass(slots=True)
class MemoryOwnership:
    """One server owns everything."""

    server: str
    owned: frozenset[tuple[str, int]] = frozenset()
    term: int = 1
    may_be_driven: bool = False

    async def open(self) -> None:
        return

    async def close(self) -> None:
        self.owned = frozenset()

    async def try_take(self, node: str, shards: Sequence[int]) -> frozenset[int]:
        taken = frozenset(shard for shard in shards if (node, shard) not in self.owned)
        self.owned |= {(node, shard) for shard in taken}
        return taken

    async def release(self, node: str, shards: Sequence[int]) -> None:
        self.owned -= {(node, shard) for shard in shards}

    async def live_servers(self) -> list[str]:
        return [self.server]

    async def missing_servers(self) -> list[str]:
        return []

    async def fence(self) -> list[str]:
        return []

    async def confirm(self) -> None:
        return


@dataclass(slots=True)
class MemoryInbox:
    """Calls to place and requests, put here by whoever runs the simulation."""

    calls: list[Facts] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    async def claim_calls(self, places: frozenset[tuple[str, int]], most: int) -> Sequence[Facts]:
        mine = [facts for facts in self.calls if (facts.node, shard_of(facts.a_leg)) in places][:most]
        self.calls = [facts for facts in self.calls if facts not in mine]
        return mine

    async def count_queued(self, places: frozenset[tuple[str, int]]) -> int:  # noqa: ARG002
        return len(self.calls)

    async def requests(self, nodes: Sequence[str], drives: Callable[[CallId], bool]) -> Sequence[Request]:  # noqa: ARG002
        mine = [request for request in self.asked if drives(request.call)]
        self.asked = [request for request in self.asked if request not in mine]
        return mine


@dataclass(slots=True)
class MemoryNumbers:
    """Numbers and what they are set to; `anything` answers for every other number."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    anything: Route | None = None

    def maybe_route(self, dialled_number: str) -> Route | None:
        return self.routes.get(dialled_number, self.anything)

    def may_show(self, account: AccountId, caller_id: str) -> bool:  # noqa: ARG002
        return True
