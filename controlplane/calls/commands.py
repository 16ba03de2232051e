"""Requests out of the machine. A shell carries them out in order, after the entry they came of is on record.

`REPEATABLE` names those that may go out before that: doing them twice does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from controlplane.base.causes import Cause, Verdict
from controlplane.base.ids import LegId, Token
from controlplane.calls.facts import Inline
from controlplane.calls.runs import Run
from controlplane.verbs.documents import Link, RecordingCallback, Target


@dataclass(frozen=True, slots=True)
class Burst:
    """Things to run on a leg, sent at once and queued there; `BurstDone(token)` when the last is through.

    A burst that ends with HangUpLeg is done when the leg ends.
    """

    leg: LegId
    token: Token
    runs: tuple[Run, ...]


# What happens at once.


@dataclass(frozen=True, slots=True)
class Claim:
    """Make a parked leg ours: cancel its watchdog, mark it, schedule the longest it may last."""

    leg: LegId
    time_limit_s: int


@dataclass(frozen=True, slots=True)
class Ring:
    """Tell the caller that it rings (180)."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop what runs on a leg, a Join too, and forget what is queued there. A recording is stopped another way."""

    leg: LegId
    is_recording: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """End a leg now."""

    leg: LegId
    cause: Cause


@dataclass(frozen=True, slots=True)
class Originate:
    """Dial a leg and park it when it answers."""

    leg: LegId
    token: Token
    target: Target
    caller_id: str
    caller_name: str
    ring_timeout_s: int
    time_limit_s: int


@dataclass(frozen=True, slots=True)
class Join:
    """Let two parked legs hear each other, until either leaves; then the first is brought back by an Interrupt."""

    leg: LegId
    other: LegId
    token: Token


@dataclass(frozen=True, slots=True)
class StayAfterParting:
    """A leg that another node joined again with its partner is parked when the two part, and ended by nothing."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Mute:
    """Silence a leg's voice, or take that back."""

    leg: LegId
    is_on: bool


@dataclass(frozen=True, slots=True)
class SendDigitsNow:
    """Send DTMF to a leg whatever runs there."""

    leg: LegId
    digits: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class PlayOver:
    """Play audio to a leg over whatever it hears; PromptFailed where it is not to be had."""

    leg: LegId
    token: Token
    url: str
    loop: int
    stops_on_digit: bool


@dataclass(frozen=True, slots=True)
class LookAt:
    """Find out what became of a burst after a change of owner; answers BurstLooked when the leg's queue is through.

    What of the burst is not sent yet is not sent before the answer.
    """

    leg: LegId
    token: Token


@dataclass(frozen=True, slots=True)
class FetchDocument:
    """Ask the application; answers DocumentArrived or DocumentFailed. `link.url` is absolute."""

    token: Token
    link: Link
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TakeInline:
    """A document given through the API is the next: answers DocumentArrived at once."""

    token: Token
    inline: Inline


# What is written down in the transaction of the entry itself.


@dataclass(frozen=True, slots=True)
class Publish:
    """An event of the account's log, delivered to its webhook as JSON. `kind` such as "call.answered".

    `was_at_ms` is when what it tells happened, where that was found out late; 0: now.
    """

    token: Token
    kind: str
    data: tuple[tuple[str, str | int | None], ...]
    leg: LegId | None = None
    was_at_ms: int = 0


@dataclass(frozen=True, slots=True)
class CallBack:
    """A request to the application whose answer does not matter: status, action of an ended call."""

    token: Token
    link: Link
    parameters: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KeepRecording:
    """A recording is finished on its media `node`: store it, trim it, tell `callback`.

    `source` is RecordVerb, DialVerb or OutboundAPI; `duration_ms` None where only the file knows.
    """

    token: Token
    recording: str
    leg: LegId
    source: str
    channels: int
    duration_ms: int | None
    is_trimmed: bool
    callback: RecordingCallback | None
    parameters: tuple[tuple[str, str], ...] = ()
    node: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something for the tenant to read in the timeline: a warning or error of theirs, with the reference's number."""

    level: str
    code: int
    text: str
    where: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """A request made through the API was carried out, or could not be (`problem`)."""

    request: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is over, and was at `was_at_ms` where that was found out late (0: now): its one final verdict."""

    verdict: Verdict
    was_at_ms: int = 0


Command: TypeAlias = (
    Burst | Claim | Ring | Interrupt | End | Originate | Join | StayAfterParting | Mute | SendDigitsNow | PlayOver
    | LookAt | FetchDocument | TakeInline | Publish | CallBack | KeepRecording | Note | Acknowledge | Finish
)  # fmt: skip

WRITTEN = (Publish, CallBack, KeepRecording, Note, Acknowledge, Finish)
REPEATABLE = (Claim, Ring, Interrupt, End, LookAt, FetchDocument, StayAfterParting, Mute, *WRITTEN)
