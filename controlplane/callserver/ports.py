"""What the call server needs of the world, as it wants to see it. Wiring chooses who provides it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from controlplane.base.causes import Cause, Verdict
from controlplane.base.ids import AccountId, CallId, LegId, Token
from controlplane.calls.commands import Command
from controlplane.calls.events import Entry, Event
from controlplane.calls.facts import Facts
from controlplane.calls.machine import CallMachine
from controlplane.verbs.documents import Link, Play, Say, StatusCallback


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as an application answered it."""

    url: str
    content_type: str
    body: bytes


class FetchFailed(Exception):
    """An application gave no document; `code` is the reference's error number."""

    def __init__(self, code: int, problem: str) -> None:
        self.code, self.problem = code, problem
        super().__init__(problem)


class Applications(Protocol):
    """Asks tenants' applications."""

    async def fetch(self, facts: Facts, link: Link, parameters: Sequence[tuple[str, str]], token: Token) -> Fetched:
        """Ask for a document; raises FetchFailed. The same token may be sent again after a crash."""
        ...

    def forget(self, call: CallId) -> None:
        """The call is over: drop what was kept for it (cookies)."""
        ...


@dataclass(frozen=True, slots=True)
class Sound:
    """A prompt as a media node can play it: a file of ours there, `path`, and how long it lasts."""

    path: str
    duration_ms: int


class PromptFailedError(Exception):
    """A prompt could not be made; `code` is the reference's error number."""

    def __init__(self, code: int, problem: str) -> None:
        self.code, self.problem = code, problem
        super().__init__(problem)


class Prompts(Protocol):
    """Makes what is said and played into files on a media node."""

    def maybe_sound(self, node: str, prompt: Say | Play) -> Sound | None:
        """The sound if it lies there already; never waits."""
        ...

    async def make_sound(self, node: str, prompt: Say | Play) -> Sound:
        """Render or fetch it and put it there; raises PromptFailedError."""
        ...

    def recording_path(self, node: str, recording: str) -> str:
        """Where a media node is to write a recording."""
        ...


class Journal(Protocol):
    """Puts entries on record. One future an entry, done when it is safe.

    It fails with Conflict where another process wrote that place, with Unavailable where it could not be written in
    time, with anything else where it never can be.
    """

    def submit(
        self, machine: CallMachine, entry: Entry, commands: tuple[Command, ...], *, is_urgent: bool
    ) -> asyncio.Future[None]: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """A call as its journal has it; one that was claimed and has no entries yet is still to be placed.

    Unless it `may_have_been_dialled`: whoever claimed it may have entries where we cannot read, and have gone on.
    `moves` is how often its node died and the call was given to another, which the journal may not tell yet. One that
    `has_verdict` is over but for the ends of B-legs that nobody has told. Of one that is not `is_readable` nothing is
    known but whose it is, and nobody can go on with it.
    """

    facts: Facts
    entries: tuple[Entry, ...]
    moves: int = 0
    is_readable: bool = True
    has_verdict: bool = False
    may_have_been_dialled: bool = False


class Archive(Protocol):
    """Reads what was put on record."""

    @property
    def is_settled(self) -> bool:
        """Say whether all that this process put on record can be read by others."""
        ...

    async def settle(self) -> None:
        """Have all that this host put on record be readable, dead processes' too. May take long; raises Unavailable."""
        ...

    async def live_calls(self, node: str, shards: frozenset[int], but: Sequence[CallId] = ()) -> Sequence[Stored]:
        """Calls of these shards that have no final verdict yet, or B-legs without an end, `but` these.

        Raises Unavailable while something of this host is on record that cannot be read yet (`settle`).
        """
        ...

    async def count_live(self, apps: Sequence[str]) -> Mapping[str, int]:
        """How many calls each of these apps has that are not over; none stands for none. Raises Unavailable."""
        ...

    async def over(self, calls: Sequence[CallId]) -> Sequence[CallId]:
        """Those of these calls that have their final verdict. Raises Unavailable."""
        ...

    async def write_off(self, facts: Facts, cause: Cause) -> Sequence[LegId]:
        """Give a call that nobody can go on with its verdict, which says `cause`; answers the B-legs it has still.

        Raises Unavailable, and Conflict if somebody goes on with it.
        """
        ...


class Numbers(Protocol):
    """Whose number rang: answered from memory."""

    def maybe_route(self, dialled_number: str) -> Route | None: ...

    def may_show(self, account: AccountId, caller_id: str) -> bool:
        """Say whether an account may call under this number."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """What a number is set to: whose it is, and which application answers."""

    account: AccountId
    app: str | None
    document: Link | None
    fallback: Link | None
    status_callback: StatusCallback | None
    webhook_url: str | None
    record: bool = False
    channel_limit: int | None = None  # simultaneous calls of the app


@dataclass(frozen=True, slots=True)
class Request:
    """Something the API wants of a live call."""

    call: CallId
    event: Event


class Inbox(Protocol):
    """What others want of this server: calls to place and requests to live calls.

    Everything may raise Unavailable while the database is away.
    """

    async def claim_calls(self, places: frozenset[tuple[str, int]], most: int) -> Sequence[Facts]:
        """Take up to `most` queued calls of these (node, shard) places; each is ours to place from here on.

        Who claimed a call, and when, is on record.
        """
        ...

    async def count_queued(self, places: frozenset[tuple[str, int]]) -> int:
        """How many calls wait for these places: whether it is worth looking again soon."""
        ...

    async def requests(self, nodes: Sequence[str], drives: Callable[[CallId], bool]) -> Sequence[Request]:
        """Requests waiting for live calls of these nodes that we drive; each is given out until it is acknowledged."""
        ...


class Meters(Protocol):
    """Counts and times what the call server does."""

    def call_finished(self, direction: str, verdict: Verdict) -> None: ...

    def hook_answered(self, outcome: str, seconds: float) -> None: ...

    def verb_started(self, verb: str, seconds: float) -> None: ...

    def link_up(self, node: str, kind: Literal["event", "command"]) -> None: ...

    def link_down(self, node: str, kind: Literal["event", "command"]) -> None: ...

    def esl_events_received(self, node: str, count: int) -> None: ...

    def call_refused(self, node: str) -> None: ...

    def load_measured(self, node: str, shares: Mapping[str, float], *, is_open: bool) -> None: ...


class Ownership(Protocol):
    """Which (node, shard) places are ours. Everything may raise Unavailable while the database is away."""

    @property
    def owned(self) -> frozenset[tuple[str, int]]: ...

    @property
    def term(self) -> int:
        """When we last took something: whoever took anything later, of whatever server, has a greater one."""
        ...

    @property
    def may_be_driven(self) -> bool:
        """Whether what we last took may be a server's that was fenced lately, and lives: it may not know it yet."""
        ...

    async def try_take(self, node: str, shards: Sequence[int]) -> frozenset[int]:
        """Take what is free of these shards."""
        ...

    async def release(self, node: str, shards: Sequence[int]) -> None: ...

    async def live_servers(self) -> list[str]:
        """The servers seen lately, this one among them."""
        ...

    async def missing_servers(self) -> list[str]:
        """Servers whose claims ended because the database did, a moment ago: they may be about to come back."""
        ...

    async def fence(self) -> list[str]:
        """End the claims of servers that stopped without dying."""
        ...

    async def confirm(self) -> None:
        """Make sure that what is owned was ours all along, and nobody ends our claim in the next seconds."""
        ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...
