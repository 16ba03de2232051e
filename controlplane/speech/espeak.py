"""espeak-ng: about a hundred languages, quick, robotic. GPL-3, so it is run as a program and never linked."""

from __future__ import annotations

import asyncio
import shutil

from controlplane.speech.markup import espeak_markup
from controlplane.speech.process import DEFAULT_BOUNDS, Bounds, run_engine
from controlplane.speech.utterance import Gender, Utterance
from controlplane.speech.wav import normalise
from controlplane.speech.words import break_words

# Languages that espeak-ng 1.51 has a voice of the same name for (`espeak-ng --voices`), constructed ones left out.
_LANGUAGES = (
    "af am an ar as az ba be bg bn bs ca cmn cs cy da de el es et eu fa fi ga gd gn gu he hi hr ht hu hy id is it ja"
    " ka kk kl kn ko ku ky la lb lt lv mi mk ml mr ms mt my nb ne nl om or pa pl ro ru sd si sk sl sq sr sv sw ta te"
    " th tk tn tr tt ug uk ur uz vi yue"
)
_AMERICAN_SPANISH = "ar bo cl co cr cu do ec gt hn mx ni pa pe pr py sv us uy ve 419"
_SPECIAL = {
    "en": "en-us", "en-us": "en-us", "en-ca": "en-us", "en-ph": "en-us", "en-gb": "en-gb", "en-au": "en-gb",
    "en-nz": "en-gb", "en-ie": "en-gb", "en-in": "en-gb", "en-za": "en-gb", "en-sg": "en-gb", "en-hk": "en-gb",
    "en-gb-wls": "en-gb", "en-gb-scotland": "en-gb-scotland", "en-029": "en-029",
    "fr": "fr-fr", "fr-be": "fr-be", "fr-ch": "fr-ch", "pt": "pt-br", "pt-br": "pt-br", "pt-pt": "pt",
    "arb": "ar", "no": "nb", "nn": "nb", "iw": "he", "in": "id", "zh": "cmn", "zh-hk": "yue", "zh-yue": "yue",
    "fil": "en-us", "vi-vn-x-south": "vi-vn-x-south",
    **{f"es-{country}": "es-419" for country in _AMERICAN_SPANISH.split()},
}  # fmt: skip
_VOICES = {language: language for language in _LANGUAGES.split()} | _SPECIAL
_DEFAULT_VOICE = "en-us"
_VARIANTS = {Gender.MALE: "m3", Gender.FEMALE: "f2"}


class Espeak:
    """Speaks through the `espeak-ng` program."""

    name = "espeak-ng.1"

    def __init__(self, program: str = "espeak-ng", bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """`program` is a name on the PATH or a path."""
        self._program, self._bounds = program, bounds

    async def render(self, utterance: Utterance) -> bytes:
        """Speak; see VoiceProvider."""
        wav = await run_engine(espeak_command(self._program, utterance), espeak_input(utterance), self._bounds)
        return await asyncio.to_thread(normalise, wav)

    def missing(self) -> list[str]:
        """See VoiceProvider."""
        return [] if shutil.which(self._program) else ["espeak-ng: apt-get install espeak-ng"]


def espeak_command(program: str, utterance: Utterance) -> tuple[str, ...]:
    """The command line: from tables and of ours, whatever the utterance says. `{out}` is the file to write."""
    voice = f"{espeak_voice(utterance.language) or _DEFAULT_VOICE}+{_VARIANTS[utterance.gender]}"
    markup = ("-m",) if utterance.markup else ()
    return (program, "--stdin", "-b", "1", "-z", "-v", voice, *markup, "-w", "{out}")


def espeak_input(utterance: Utterance) -> bytes:
    """The text as espeak-ng reads it: two brackets would begin phonemes, so they are kept apart."""
    text = espeak_markup(utterance.text, espeak_voice) if utterance.markup else break_words(utterance.text)
    return text.replace("[[", "[ [").encode()


def espeak_voice(language: str) -> str | None:
    """The voice for a language tag in lower case, or for what is left of it without its last subtags; else None."""
    while language:
        if language in _VOICES:
            return _VOICES[language]
        language = language.rpartition("-")[0]
    return None
