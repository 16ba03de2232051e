"""What a burst has a leg do, one thing after another, in FreeSWITCH's own queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId
from controlplane.verbs.documents import Prompt, Target, Track


@dataclass(frozen=True, slots=True)
class AnswerLeg:
    """Answer (200 OK)."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass without answering or making a sound."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class PlayPrompts:
    """Say, play and pause, in order; URLs are absolute."""

    prompts: tuple[Prompt, ...]


@dataclass(frozen=True, slots=True)
class SendKeys:
    """Send DTMF to the leg (0-9 A-D * #, w half a second, W a second)."""

    digits: str


@dataclass(frozen=True, slots=True)
class Collect:
    """Play prompts and collect up to `max_digits` keys; `finish_key` "" for none. Any key stops the prompts."""

    prompts: tuple[Prompt, ...]
    max_digits: int
    finish_key: str
    timeout_s: int


@dataclass(frozen=True, slots=True)
class RecordVoice:
    """Record the leg's voice into the file named for `recording`."""

    recording: str
    finish_keys: str
    silence_s: int
    max_length_s: int
    plays_beep: bool


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Begin to record the leg while other things run on it; with two channels the leg's own voice is channel 1."""

    recording: str
    channels: int
    track: Track = Track.BOTH


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End what StartRecording began."""

    recording: str


@dataclass(frozen=True, slots=True)
class Branch:
    """One party that a Bridge dials: the leg it will be, and its address."""

    leg: LegId
    target: Target


@dataclass(frozen=True, slots=True)
class Bridge:
    """Dial branches (all at once, or in order) and join the first that answers with the leg.

    `caller_id` is shown to the branches. `ring_tone` is a country code or None; an unanswered leg is answered when a
    branch answers. Recording, where asked for, starts when the two are joined.
    """

    branches: tuple[Branch, ...]
    is_sequential: bool
    timeout_s: int
    time_limit_s: int
    caller_id: str
    caller_name: str
    hangs_up_on_star: bool
    ring_tone: str | None
    recording: StartRecording | None


@dataclass(frozen=True, slots=True)
class RingBack:
    """Let the leg hear that somebody else's phone rings, until it is interrupted; `ring_tone` is a country code."""

    ring_tone: str | None


@dataclass(frozen=True, slots=True)
class HangUpLeg:
    """End the leg when all before is through."""

    cause: Cause


def may_be_sent_again(runs: tuple[Run, ...]) -> bool:
    """Say whether runs may begin anew on another node: nobody is dialled twice, no recording is written over."""
    return not any(isinstance(run, Bridge | RecordVoice) for run in runs)


def recording_of(run: Run) -> str:
    """The recording that a run makes, "" if it makes none."""
    match run:
        case StartRecording(recording) | RecordVoice(recording):
            return recording
        case Bridge(recording=StartRecording(recording)):
            return recording
        case _:
            return ""


Run: TypeAlias = (
    AnswerLeg
    | Wait
    | PlayPrompts
    | SendKeys
    | Collect
    | RecordVoice
    | StartRecording
    | StopRecording
    | Bridge
    | RingBack
    | HangUpLeg
)
