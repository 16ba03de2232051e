"""The voice of a process: one engine, used by a few calls at a time."""

from __future__ import annotations

import asyncio

from controlplane.base.errors import BadInput
from controlplane.speech.espeak import Espeak
from controlplane.speech.flite import Flite
from controlplane.speech.tone import Tone
from controlplane.speech.utterance import SpeechFailed, VoiceProvider
from controlplane.speech.voices import utterance_of
from controlplane.speech.wav import as_wav
from controlplane.verbs.documents import Say

PROVIDERS: dict[str, type[Espeak] | type[Flite] | type[Tone]] = {"espeak-ng": Espeak, "flite": Flite, "tone": Tone}


def provider_named(name: str) -> VoiceProvider:
    """The engine that the setting `tts` names; raises BadInput for a name that is none."""
    if name not in PROVIDERS:
        raise BadInput(f"CALLPLANE_TTS is {name!r}; it can be {', '.join(sorted(PROVIDERS))}")
    return PROVIDERS[name]()


class Speaker:
    """Speaks Say verbs. At most `at_once` engines run; a text that waits longer than `wait_s` for one is not spoken."""

    def __init__(self, provider: VoiceProvider, *, at_once: int = 2, wait_s: float = 30.0) -> None:
        self._provider, self._wait_s = provider, wait_s
        self._places = asyncio.Semaphore(at_once)

    @property
    def name(self) -> str:
        """The engine's name, part of the names of cached prompts."""
        return self._provider.name

    async def say(self, say: Say) -> bytes:
        """A WAV file of 8 kHz, one channel, 16 bit; raises SpeechFailed. `say.loop` is not looked at."""
        utterance = utterance_of(say)
        if not utterance.text.strip():
            return as_wav(b"")
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise SpeechFailed("too many texts are waiting to be spoken") from error
        try:
            return await self._provider.render(utterance)
        finally:
            self._places.release()

    def missing(self) -> list[str]:
        """What has to be installed before this can speak."""
        return self._provider.missing()
