"""The verbs: typed, frozen, the same whatever dialect they were written in.

Every dialect parses into these, checked and with its defaults filled in; nothing downstream checks again. Defaults and
limits are those of the TwiML reference. Durations are whole seconds. URLs are absolute or relative as written: the
machine resolves them against the URL of the document (`Source.url`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

from controlplane.base.e164 import E164

Method: TypeAlias = Literal["GET", "POST"]
MAX_LOOPS = 1000  # Say and Play: loop="0" means this many


class StatusEvent(StrEnum):
    """Progress of a leg that a status callback can tell."""

    INITIATED = "initiated"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"


class RecordingEvent(StrEnum):
    """Progress of a recording that a callback can tell."""

    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    ABSENT = "absent"


class RejectReason(StrEnum):
    """What the caller is told: rejected (SIP 404) or busy (SIP 486)."""

    REJECTED = "rejected"
    BUSY = "busy"


class DialRecord(StrEnum):
    """Whether and from when a Dial is recorded, in one channel or two (channel 1 the A-leg)."""

    NO = "do-not-record"
    FROM_ANSWER = "record-from-answer"
    FROM_RINGING = "record-from-ringing"
    FROM_ANSWER_DUAL = "record-from-answer-dual"
    FROM_RINGING_DUAL = "record-from-ringing-dual"


class Track(StrEnum):
    """Which direction of the A-leg's audio a recording holds."""

    BOTH = "both"
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class Link:
    """A URL of the application's that is asked for something, and how."""

    url: str
    method: Method = "POST"


@dataclass(frozen=True, slots=True)
class StatusCallback:
    """Where progress of a leg is told."""

    link: Link
    events: frozenset[StatusEvent] = frozenset({StatusEvent.COMPLETED})


@dataclass(frozen=True, slots=True)
class RecordingCallback:
    """Where progress of a recording is told."""

    link: Link
    events: frozenset[RecordingEvent] = frozenset({RecordingEvent.COMPLETED})


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text. `markup` says that `text` is SSML (its elements checked, no wrapper); `loop` is 1 to MAX_LOOPS."""

    text: str
    voice: str = "man"
    language: str = "en-US"
    loop: int = 1
    markup: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """Play the audio at `url`, or send `digits` (0-9 A-D * #, w half a second, W a second), or both, digits first."""

    url: str = ""
    loop: int = 1
    digits: str = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """Silence. As the first verb of a call's first document it delays answering instead."""

    length_s: int = 1


Prompt: TypeAlias = Say | Play | Pause


@dataclass(frozen=True, slots=True)
class Gather:
    """Collect DTMF. Ends at `num_digits` keys, at `finish_key`, or `timeout_s` after the prompts or the last key.

    `finish_key` is one key or "" for none; `action` None means the current document's URL. `inputs` may name speech;
    what a speech engine needs besides is kept as written in `speech`.
    """

    prompts: tuple[Prompt, ...] = ()
    action: Link | None = None
    method: Method = "POST"
    inputs: frozenset[Literal["dtmf", "speech"]] = frozenset({"dtmf"})
    timeout_s: int = 5
    finish_key: str = "#"
    num_digits: int | None = None
    action_on_empty_result: bool = False
    language: str = "en-US"
    speech: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """Record the A-leg's voice until `timeout_s` of silence (0: never), a key of `finish_keys`, or `max_length_s`."""

    action: Link | None = None
    method: Method = "POST"
    timeout_s: int = 5
    finish_keys: str = "1234567890*#"
    max_length_s: int = 3600
    play_beep: bool = True
    trim: bool = True
    callback: RecordingCallback | None = None
    transcribe: bool = False
    transcribe_callback: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number to dial."""

    number: E164
    send_digits: str = ""
    screening: Link | None = None
    status_callback: StatusCallback | None = None


@dataclass(frozen=True, slots=True)
class Sip:
    """A SIP address to dial: `sip:user@host;parameters`, without its `?headers`, which are `headers` here."""

    uri: str
    headers: tuple[tuple[str, str], ...] = ()
    username: str = ""
    password: str = field(default="", repr=False)
    send_digits: str = ""
    screening: Link | None = None
    status_callback: StatusCallback | None = None


Target: TypeAlias = Number | Sip


@dataclass(frozen=True, slots=True)
class Dial:
    """Call one to ten targets and join the first that answers with the A-leg.

    `action` None: the next verb follows when the conversation ends. `caller_id` None: the caller's own number.
    `ring_tone` is a country code of the reference's list, or None.
    """

    targets: tuple[Target, ...]
    action: Link | None = None
    timeout_s: int = 30
    time_limit_s: int = 14_400
    hangup_on_star: bool = False
    caller_id: str | None = None
    record: DialRecord = DialRecord.NO
    trim: bool = False
    recording_track: Track = Track.BOTH
    recording_callback: RecordingCallback | None = None
    answer_on_bridge: bool = False
    ring_tone: str | None = None
    sequential: bool = False
    refer: Link | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document; "" is the current one's URL."""

    url: str = ""
    method: Method = "POST"


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse a call that was not answered."""

    reason: RejectReason = RejectReason.REJECTED


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


Verb: TypeAlias = Say | Play | Pause | Gather | Record | Dial | Redirect | Reject | Hangup


@dataclass(frozen=True, slots=True)
class Warn:
    """Something of a document that was passed over: where, why, the reference's number (12200 for unknown things)."""

    path: str
    problem: str
    code: int
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A checked document. No verbs means: hang up."""

    verbs: tuple[Verb, ...]
    warnings: tuple[Warn, ...] = ()
