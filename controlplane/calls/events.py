"""Facts that reach the machine. Each is an entry of the journal before anything comes of it.

`at_ms` of the entry (milliseconds since the epoch) is the only clock the machine knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from controlplane.base.ids import LegId, Token
from controlplane.calls.facts import Facts, Inline
from controlplane.verbs.documents import Link


@dataclass(frozen=True, slots=True)
class CallOffered:
    """A leg came in, was parked, and is ours: the first entry of an inbound call."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class CallPlaced:
    """The API asked for a call and a call server took it up: the first entry of an outbound call."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class LegRinging:
    """A leg we dialled rings (180) or sends early media (183)."""

    leg: LegId
    early_media: bool = False


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """A leg was answered: by us if it came in, by the callee if we dialled it.

    `ago_ms` is how long before this entry, where that was found out late: nobody listened when it happened.
    """

    leg: LegId
    ago_ms: int = 0


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is gone. `cause` is FreeSWITCH's name, `sip_status` the final status of the INVITE where there was one.

    `talked_ms` is how long it was answered, by the node's own clock; None where the node did not say.
    """

    leg: LegId
    cause: str
    sip_status: int | None = None
    sip_call_id: str = ""
    talked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class LegsJoined:
    """Two legs hear each other."""

    leg: LegId
    other: LegId


@dataclass(frozen=True, slots=True)
class LegsParted:
    """Two legs no longer hear each other; either may live on."""

    leg: LegId
    other: LegId


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a leg's channel said when a burst was through; a field is "" or None where it said nothing.

    `digits` and `terminator` are of the last Collect, `record_ms` and `record_terminator` of the last RecordVoice,
    `dial_result` and `joined_leg` of the last Bridge (FreeSWITCH's originate_disposition, and the leg that won).
    """

    response: str = ""
    digits: str = ""
    terminator: str = ""
    record_ms: int | None = None
    record_terminator: str = ""
    dial_result: str = ""
    joined_leg: str = ""


@dataclass(frozen=True, slots=True)
class BurstDone:
    """All that a burst asked for has run."""

    leg: LegId
    token: Token
    outcome: Outcome = Outcome()


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """A prompt could not be made or fetched; the burst goes on without it. `code` is the reference's error number."""

    token: Token
    what: str
    problem: str
    code: int


@dataclass(frozen=True, slots=True)
class OriginateFailed:
    """FreeSWITCH would not dial (no such gateway, no channel left); a dialled leg that fails ends with LegEnded."""

    leg: LegId
    cause: str


@dataclass(frozen=True, slots=True)
class DocumentArrived:
    """The application answered. `url` is where relative URLs in it start from."""

    token: Token
    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class DocumentFailed:
    """The application did not answer with a document. `code` is the reference's error number (11200, 11205, …)."""

    token: Token
    url: str
    problem: str
    code: int


@dataclass(frozen=True, slots=True)
class Redirected:
    """Somebody gave the call a new document through the API."""

    request: str
    document: Link | Inline


@dataclass(frozen=True, slots=True)
class HangUpAsked:
    """Somebody ended the call, or one leg of it, through the API."""

    request: str
    leg: LegId | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MuteAsked:
    """Somebody muted a leg (nobody hears it) or took that back."""

    request: str
    leg: LegId
    is_on: bool


@dataclass(frozen=True, slots=True)
class DigitsAsked:
    """Somebody wants keys sent to a leg."""

    request: str
    leg: LegId
    digits: str
    duration_ms: int = 100


@dataclass(frozen=True, slots=True)
class PlayAsked:
    """Somebody wants audio played to a leg, over whatever it hears."""

    request: str
    leg: LegId
    playback: str
    url: str
    loop: int = 1
    stops_on_digit: bool = True


@dataclass(frozen=True, slots=True)
class Resumed:
    """Another process drives the call from here on; what was under way may or may not have gone out."""

    server: str


@dataclass(frozen=True, slots=True)
class Moved:
    """The call's media node died, and `node` goes on with it: answered legs are parked there, or joined as they were.

    Legs that did not come up there end after this, but for the A-leg, whose end is the call's. What ran on a leg, or
    was to run there, did not come along.
    `moves` is how often the call moved until now: more than once since the last time where a node died as it took over.
    """

    node: str
    moves: int = 0


@dataclass(frozen=True, slots=True)
class BurstLooked:
    """The answer to LookAt: everything queued on the leg before now has run.

    `last_sent` is the token of the last burst that reached the channel ("" if none ever did), and "-3" after it if its
    last three runs did not.
    """

    leg: LegId
    token: Token
    last_sent: str
    outcome: Outcome = Outcome()


Event: TypeAlias = (
    CallOffered | CallPlaced | LegRinging | LegAnswered | LegEnded | LegsJoined | LegsParted | OriginateFailed
    | BurstDone | BurstLooked | PromptFailed | DocumentArrived | DocumentFailed
    | Redirected | HangUpAsked | MuteAsked | DigitsAsked | PlayAsked | Resumed | Moved
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a call's journal. `seq` counts from 0 without gaps."""

    seq: int
    at_ms: int
    event: Event
