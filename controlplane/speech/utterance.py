"""What is to be said, in terms that any engine knows, and the seam that engines stand behind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from controlplane.base.errors import Unavailable

INTERNAL, TOO_LONG = 12400, 13521  # the reference's error numbers (5.5)


class Gender(StrEnum):
    """How a voice sounds, as far as engines agree on it."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One text to speak. `language` is a BCP-47 tag in lower case; `markup` says that `text` is SSML."""

    text: str
    language: str
    gender: Gender
    markup: bool = False


class SpeechFailed(Unavailable):
    """The text could not be spoken."""

    slug: ClassVar[str] = "speech-failed"

    def __init__(self, problem: str, code: int = INTERNAL) -> None:
        """`code` is the reference's error number."""
        self.problem, self.code = problem, code
        super().__init__(problem, code=code)


class VoiceProvider(Protocol):
    """A speech engine."""

    @property
    def name(self) -> str:
        """Names the engine and the way it is used: one name, one sound for one utterance."""
        ...

    async def render(self, utterance: Utterance) -> bytes:
        """Speak, as a WAV file of 8 kHz, one channel, 16 bit; raises SpeechFailed. Never blocks the event loop."""
        ...

    def missing(self) -> list[str]:
        """What has to be installed before this engine can speak, each with the command that does it."""
        ...
