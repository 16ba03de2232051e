"""flite: English only, more human than espeak-ng and slower. Its own reading of SSML is not used (speech/markup.py)."""

from __future__ import annotations

import asyncio
import shutil

from controlplane.speech.markup import plain_text
from controlplane.speech.process import DEFAULT_BOUNDS, Bounds, run_engine
from controlplane.speech.utterance import Gender, Utterance
from controlplane.speech.wav import normalise
from controlplane.speech.words import break_words

_MAN, _WOMAN, _SCOTSMAN = "rms", "slt", "awb"


class Flite:
    """Speaks through the `flite` program. Every language is read as if it were English."""

    name = "flite.1"

    def __init__(self, program: str = "flite", bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """`program` is a name on the PATH or a path."""
        self._program, self._bounds = program, bounds

    async def render(self, utterance: Utterance) -> bytes:
        """Speak; see VoiceProvider. Of markup only the words and the ends of sentences are kept."""
        wav = await run_engine(flite_command(self._program, utterance), flite_input(utterance), self._bounds)
        return await asyncio.to_thread(normalise, wav)

    def missing(self) -> list[str]:
        """See VoiceProvider."""
        return [] if shutil.which(self._program) else ["flite: apt-get install flite"]


def flite_command(program: str, utterance: Utterance) -> tuple[str, ...]:
    """The command line; `{out}` is the file to write."""
    return (program, "-voice", _voice(utterance), "-f", "/dev/stdin", "-o", "{out}")


def flite_input(utterance: Utterance) -> bytes:
    """The text as flite reads it."""
    text = plain_text(utterance.text) if utterance.markup else utterance.text
    return f"{break_words(text)}\n".encode()


def _voice(utterance: Utterance) -> str:
    if utterance.gender is Gender.FEMALE:
        return _WOMAN
    return _SCOTSMAN if utterance.language == "en-gb-scotland" else _MAN
