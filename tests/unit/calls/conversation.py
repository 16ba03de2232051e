"""A call on paper: feed events, look at commands. Kept by every test of the machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from controlplane.base import ids
from controlplane.base.ids import AccountId, LegId, Token
from controlplane.calls.commands import WRITTEN, Burst, Command, FetchDocument, TakeInline
from controlplane.calls.events import (
    BurstDone,
    CallOffered,
    CallPlaced,
    DocumentArrived,
    Entry,
    Event,
    LegAnswered,
    LegEnded,
    Outcome,
)
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.machine import CallMachine
from controlplane.calls.runs import Run
from controlplane.verbs.documents import Link

A_LEG = LegId("f4b712e2-dbcb-45f1-ab2c-db5b2a95854a")
ACCOUNT = AccountId(ids.mint("acc", 1_700_000_000_000, b"0123456789"))
APP_URL = "https://app.example/voice"
ACTION = "https://app.example/done"
INBOUND = Facts(
    call=ids.call_of_leg(A_LEG),
    account=ACCOUNT,
    a_leg=A_LEG,
    node="n1",
    direction=Direction.INBOUND,
    from_number="+15550001111",
    to_number="+15550002222",
    document=Link(APP_URL),
    salt="salt",
    public_url="https://api.example",
)
OUTBOUND = replace(INBOUND, direction=Direction.OUTBOUND_API)

T = TypeVar("T")
NOTHING = Outcome()


@dataclass
class Conversation:
    """One call. `at_ms` is the time of the next entry."""

    facts: Facts = INBOUND
    machine: CallMachine = field(default_factory=CallMachine)
    entries: list[Entry] = field(default_factory=list)
    commands: list[tuple[Command, ...]] = field(default_factory=list)
    at_ms: int = 1_700_000_000_000

    def feed(self, event: Event, after_ms: int = 0) -> tuple[Command, ...]:
        self.at_ms += after_ms
        entry = Entry(len(self.entries), self.at_ms, event)
        self.entries.append(entry)
        self.commands.append(self.machine.handle(entry))
        return self.commands[-1]

    def offer(self) -> tuple[Command, ...]:
        is_inbound = self.facts.direction is Direction.INBOUND
        return self.feed(CallOffered(self.facts) if is_inbound else CallPlaced(self.facts))

    def answer_with(self, document: str, url: str = "") -> tuple[Command, ...]:
        """The application answers the last question with TwiML (its verbs; the root is put around them)."""
        asked = self.last(FetchDocument)
        body = f"<Response>{document}</Response>".encode()
        return self.feed(DocumentArrived(asked.token, url or asked.link.url, "text/xml", body))

    def begin(self, document: str) -> tuple[Command, ...]:
        """An offered call whose application answers with this document."""
        self.offer()
        return self.answer_with(document)

    def done(self, outcome: Outcome = NOTHING, after_ms: int = 0) -> tuple[Command, ...]:
        """The last burst is through."""
        return self.feed(BurstDone(self.last(Burst).leg, self.last(Burst).token, outcome), after_ms)

    def connect(self) -> None:
        self.feed(LegAnswered(self.facts.a_leg))

    def hang_up(self, cause: str = "NORMAL_CLEARING", after_ms: int = 0) -> tuple[Command, ...]:
        return self.feed(LegEnded(self.facts.a_leg, cause), after_ms)

    def last(self, kind: type[T]) -> T:
        """The last command of a kind."""
        said = [command for commands in self.commands for command in commands if isinstance(command, kind)]
        assert said, f"no {kind.__name__} so far"
        return said[-1]

    @property
    def runs(self) -> tuple[Run, ...]:
        return self.last(Burst).runs


def effects(commands: tuple[Command, ...]) -> list[Command]:
    """The commands that do something outside; what is only written down is left out."""
    return [command for command in commands if not isinstance(command, WRITTEN)]


def of_kind(commands: tuple[Command, ...], kind: type[T]) -> list[T]:
    """The commands of one kind."""
    return [command for command in commands if isinstance(command, kind)]


def token(seq: int, index: int) -> Token:
    """The token of a command of the standard call."""
    return ids.token_of(INBOUND.call, seq, index)


def told(call: Conversation) -> dict[str, str]:
    """What the last question said beside the usual."""
    usual = {"CallSid", "AccountSid", "From", "To", "Caller", "Called", "CallStatus", "ApiVersion", "Direction"}
    return {name: value for name, value in call.last(FetchDocument).parameters if name not in usual}


__all__ = [
    "ACTION",
    "A_LEG",
    "INBOUND",
    "OUTBOUND",
    "Conversation",
    "TakeInline",
    "effects",
    "of_kind",
    "token",
    "told",
]
