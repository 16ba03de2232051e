"""Scenario files: who calls whom, and what the people at both ends do. Data only; the same for every way to run it.

application: http://127.0.0.1:9000/
callers:
  - from: "+15550001111"
    to: "+15550002222"
    script:
      - hear: welcome          # wait until a prompt begins: its words, URL or file, * and ? allowed
      - press: "12#"
      - say: hello there
        seconds: 2
      - silence_s: 3
      - hang_up: true
callees:
  "+15550003333": {ring_s: 1, then: answer, after_answer: [{wait_s: 5}, {hang_up: true}]}
  "sip:agent@example.com": {then: busy}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

DEFAULT_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass. `is_silence` only says that the silence is meant."""

    seconds: float
    is_silence: bool = False


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, one every `gap_s`."""

    keys: str
    gap_s: float = 0.3


@dataclass(frozen=True, slots=True)
class Say:
    """Speak for a time. The words are known to whoever asks what was said."""

    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Hear:
    """Wait until a sound begins whose words, URL or file holds or matches `pattern`; too late is a failure."""

    pattern: str
    within_s: float = DEFAULT_PATIENCE_S


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class ExpectEnd:
    """Wait until the other side ends the call; too late is a failure, and so is another cause."""

    within_s: float = DEFAULT_PATIENCE_S
    cause: str = ""


GREETING = Say("Please leave a message after the tone.", 3.0)  # of a voicemail

Step: TypeAlias = Wait | Press | Say | Hear | HangUp | ExpectEnd


class Then(StrEnum):
    """What a callee does when it has rung long enough."""

    ANSWER = "answer"
    EARLY_MEDIA = "early_media"  # 183 first, answers a second later
    VOICEMAIL = "voicemail"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECT = "reject"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class CallerPlan:
    """One call that comes in: from whom, to which number, when, and what the caller does once it is answered."""

    from_number: str
    to_number: str
    script: tuple[Step, ...] = ()
    name: str = ""
    at_s: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CalleePlan:
    """What a party does when it is dialled: rings `ring_s` (0: no 180 at all), then …; then its script."""

    ring_s: float = 1.0
    then: Then = Then.ANSWER
    after_answer: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Who takes part. Callees are known by number or SIP URI. `application` is the URL that answers all numbers."""

    callers: tuple[CallerPlan, ...] = ()
    callees: Mapping[str, CalleePlan] = field(default_factory=dict)
    application: str = ""
