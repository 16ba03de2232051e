"""What steps see of a call and what they say: the legs, the time, the document in hand, the commands to go out.

`CallState` is one per call and belongs to the machine; a `Scene` is a document running on one leg of it. A step emits
commands through its scene and yields to wait for the next event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar
from urllib.parse import urljoin

from controlplane.base import ids
from controlplane.base.causes import Cause
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import Burst, Claim, Command, Note
from controlplane.calls.events import BurstDone, Event, Moved, Outcome
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.runs import AnswerLeg, Run, may_be_sent_again
from controlplane.verbs.documents import Link, Play, Prompt, RecordingCallback, StatusCallback

T = TypeVar("T")
Script: TypeAlias = Generator[None, Event, T]


class LegState(StrEnum):
    """How far a leg has come."""

    DIALLED = "dialled"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


@dataclass(slots=True)
class Leg:
    """One leg of the call, as far as the journal tells. Times are milliseconds since the epoch."""

    id: LegId
    direction: Direction
    from_number: str
    to_number: str
    dialled_ms: int
    state: LegState = LegState.DIALLED
    ringing_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    cause: str = ""
    sip_status: int | None = None
    sip_call_id: str = ""
    joined_to: LegId | None = None
    was_joined: bool = False
    is_away: bool = False  # a Join took it from where bursts run; an Interrupt brings it back
    is_ours_to_end: bool = False  # dialled by Originate: nothing in FreeSWITCH ends it with the A-leg
    ended_by_us: Cause | None = None
    status_callback: StatusCallback | None = None
    callbacks_sent: int = 0

    @property
    def is_alive(self) -> bool:
        return self.state is not LegState.ENDED

    @property
    def is_answered(self) -> bool:
        return self.answered_ms is not None

    def talked_s(self, now_ms: int) -> int:
        """Whole seconds since it was answered, rounded up; 0 if it never was."""
        if self.answered_ms is None:
            return 0
        return -(-((self.ended_ms or now_ms) - self.answered_ms) // 1000)


class NodeLost(Exception):
    """The media node died under a burst that cannot be said again as it was; `before` is what was to run before it."""

    def __init__(self, before: tuple[Run, ...]) -> None:
        self.before = before
        super().__init__()


class HungUp(Exception):
    """Thrown into a script when its leg has ended: say what is left to say, then let it pass."""


@dataclass(slots=True)
class CallState:
    """One call: facts, legs, and the commands that the entry in hand gave rise to so far."""

    facts: Facts
    legs: dict[LegId, Leg] = field(default_factory=dict)
    now_ms: int = 0
    seq: int = 0
    said: list[Command] = field(default_factory=list)
    is_rejected: bool = False
    recording: str = ""  # of the whole call, where one runs
    node: str = field(init=False)
    moves: int = 0  # from a node that died to another
    recorded_on: dict[str, str] = field(default_factory=dict)  # the node that each recording was begun on
    _index: int = 0

    def __post_init__(self) -> None:
        self.node = self.facts.node

    def begin(self, seq: int, at_ms: int) -> None:
        """Start the next entry."""
        self.seq, self.now_ms, self._index = seq, at_ms, 0

    def token(self) -> Token:
        """Name the next command of this entry."""
        self._index += 1
        return ids.token_of(self.facts.call, self.seq, self._index)

    def emit(self, *commands: Command) -> None:
        self.said.extend(commands)

    @property
    def a_leg(self) -> Leg:
        return self.legs[self.facts.a_leg]

    def claim(self, leg: Leg) -> Claim:
        """Make a leg ours, for what is left of the longest that a call may last: that counts from the answer."""
        talked_ms = self.now_ms - leg.answered_ms if leg.answered_ms is not None else 0
        return Claim(leg.id, max(0, self.facts.time_limit_s - max(0, talked_ms) // 1000))

    def _digest(self) -> bytes:
        return hashlib.sha256(f"{self.facts.salt}/{self.token()}".encode()).digest()

    def mint(self, prefix: str) -> str:
        """A new id; replaying the journal mints the same one."""
        return ids.mint(prefix, self.now_ms, self._digest())

    def mint_leg(self) -> LegId:
        """A channel UUID for a further leg, in the shard of the call (a version 4 UUID by its bits)."""
        bits = int.from_bytes(self._digest()[:16], "big")
        bits = bits & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62
        return ids.leg_in_shard(bits, ids.shard_of(self.facts.a_leg))


@dataclass(slots=True)
class Scene:
    """A document running on a leg. `source_url` is the document's own, None if it came without one."""

    state: CallState
    leg: Leg
    source_url: str | None = None
    documents: int = 0
    idle_documents: int = 0  # since something was sent to the leg
    queued: list[Run] = field(default_factory=list)
    on_answer: list[Run] = field(default_factory=list)  # to run once, as soon as the leg is answered
    may_dial: bool = True

    @property
    def facts(self) -> Facts:
        return self.state.facts

    def emit(self, *commands: Command) -> None:
        self.state.emit(*commands)

    def queue(self, *runs: Run) -> None:
        """Have this run on the leg; it goes out with the next burst."""
        self.queued.extend(runs)

    def answer(self) -> None:
        """See to it that the leg is answered before what is queued next."""
        if not self.leg.is_answered and not any(isinstance(run, AnswerLeg) for run in self.queued):
            self.queue(AnswerLeg())
        self.queue(*self.on_answer)
        self.on_answer.clear()

    def send(self, *runs: Run) -> Token:
        """Send what is queued and these, as one burst."""
        token = self.state.token()
        self.idle_documents = 0
        self.emit(Burst(self.leg.id, token, (*self.queued, *runs)))
        self.queued.clear()
        return token

    def burst(self, *runs: Run) -> Script[Outcome]:
        """Send what is queued and these, wait until all of it has run, answer its outcome.

        Raises NodeLost if the node dies meanwhile and some of these may be sent but once.
        """
        sent = (*self.queued, *runs)
        token = self.send(*runs)
        while True:
            event = yield
            if isinstance(event, BurstDone) and event.token == token:
                return event.outcome
            if isinstance(event, Moved) and not may_be_sent_again(sent):
                raise NodeLost(tuple(run for run in sent if may_be_sent_again((run,))))

    def resolve(self, url: str) -> str:
        """An absolute URL, seen from the document in hand; "" is the document's own."""
        return urljoin(self.source_url, url) if self.source_url else url

    def link(self, link: Link | None, method: str = "POST") -> Link | None:
        """An absolute link; None stands for the document in hand, and is None where that has no URL."""
        if link is not None:
            return Link(self.resolve(link.url), link.method)
        return Link(self.source_url, "GET" if method == "GET" else "POST") if self.source_url else None

    def told(self, callback: RecordingCallback | None) -> RecordingCallback | None:
        """A recording's callback with an absolute link; None where there is none."""
        link = self.link(callback.link) if callback is not None else None
        return RecordingCallback(link, callback.events) if callback is not None and link is not None else None

    def prompts(self, prompts: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
        """The same prompts with absolute URLs."""
        return tuple(
            Play(self.resolve(prompt.url), prompt.loop) if isinstance(prompt, Play) else prompt for prompt in prompts
        )

    def note(self, level: str, code: int, text: str, where: str = "") -> None:
        """Tell the tenant something they can mend."""
        self.emit(Note(level, code, text, where))
