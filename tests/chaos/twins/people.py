"""The people around two nodes: who they are, what they do, and what they heard, in the ledger's shape."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controlplane.emulator.phones.calls import PhoneCall, State
from controlplane.emulator.phones.sip_text import header, uri_in, user_in
from tests.chaos.twins.flows import tone
from tests.chaos.twins.silence import longest_silence_ms

# A 200 right behind a 180 may overtake it in the proxy, whose processes take turns: then nobody is told of the ringing.
RINGS_S = 0.2


@dataclass(slots=True)
class Person:
    """One end of one call, by telephone."""

    call: PhoneCall
    role: str  # caller or callee
    flow: str
    from_number: str
    to_number: str
    invited_at: float = field(default_factory=time.time)
    times: dict[State, float] = field(default_factory=dict)
    hung_up: bool = False
    was_refused: bool = False  # and somebody else called instead
    gave_up_at: float | None = None

    def __post_init__(self) -> None:
        self.call.watchers.append(self._look)

    def _look(self) -> None:
        self.times.setdefault(self.call.state, time.time())

    def hang_up(self) -> None:
        if self.call.state is not State.ENDED:
            self.hung_up = True
            self.call.hang_up()

    def give_up(self) -> None:
        """Wait no longer for the end after a CANCEL (RFC 3261 §9.1: 32 s): nobody is left where it goes."""
        if self.call.state is not State.ENDED:
            self.gave_up_at = time.time()

    @property
    def is_over(self) -> bool:
        return self.call.state is State.ENDED or self.gave_up_at is not None

    @property
    def is_up(self) -> bool:
        return self.call.state is State.ANSWERED

    def line(self, adopting: str) -> dict[str, Any]:
        """A line of callers.jsonl. Whoever was answered is to end on the `adopting` node; others may be lost."""
        ended = self.gave_up_at or self.times.get(State.ENDED)
        status = 487 if self.gave_up_at else self.call.status or (200 if State.ANSWERED in self.times else None)
        return {
            "sip_call_id": self.call.call_id, "role": self.role, "from": self.from_number, "to": self.to_number,
            "invited_at": self.invited_at, "ringing_at": self.times.get(State.RINGING),
            "answered_at": self.times.get(State.ANSWERED), "ended_at": ended,
            "final_status": status,
            "ended_by": None if ended is None else ("us" if self.hung_up else "platform"),
            "node": adopting if State.ANSWERED in self.times else None,
        }  # fmt: skip

    def silence_ms(self, from_s: float, to_s: float) -> int:
        """The longest silence that this person heard between two moments of the monotonic clock."""
        return longest_silence_ms(self.call.stream.heard, from_s, to_s)


def _talk(call: PhoneCall, hz: int) -> None:
    """Talk all the time. Coding that takes a while, and other telephones ring meanwhile."""
    asyncio.get_running_loop().run_in_executor(None, call.stream.say, tone(hz))


def _pick_up(call: PhoneCall) -> None:
    call.answer()
    _talk(call, 700)


@dataclass(slots=True)
class People:
    """Everybody of a run. `flow_of` says what a dialled telephone is in the middle of."""

    everybody: list[Person] = field(default_factory=list)
    flow_of: Callable[[str], str] = lambda _number: "talk"

    def take(self, call: PhoneCall) -> None:
        """A telephone is dialled: it answers and talks, or rings on."""
        number = user_in(call.invite.uri)
        flow = self.flow_of(number)
        caller = user_in(uri_in(header(call.invite, "From")))
        person = Person(call, "callee", flow, caller, number)
        self.everybody.append(person)
        call.ring()
        if flow == "talk":
            asyncio.get_running_loop().call_later(RINGS_S, _pick_up, call)

    def dialled(self, call: PhoneCall, flow: str, caller: str, number: str) -> None:
        """Somebody calls, and talks all the time."""
        self.everybody.append(Person(call, "caller", flow, caller, number))
        _talk(call, 600)

    def of(self, role: str, *flows: str) -> list[Person]:
        return [one for one in self.everybody if one.role == role and one.flow in flows]
