"""A voice that beeps: for tests, simulations and machines without a speech engine.

The beep lasts 60 ms a character (200 ms at least, 60 s at most) and its pitch follows the text, so that a recording of
a call tells which prompt was heard and that it was heard to the end. The same text is the same bytes everywhere.
"""

from __future__ import annotations

import asyncio
import hashlib
import math

import numpy as np

from controlplane.speech.markup import plain_text
from controlplane.speech.utterance import Utterance
from controlplane.speech.wav import RATE_HZ, as_wav

_MS_PER_CHARACTER, _SHORTEST_MS, _LONGEST_MS = 60, 200, 60_000
_LOWEST_HZ, _STEP_HZ, _STEPS = 300, 50, 17  # 300 to 1100 Hz: one tone is never taken for a key's two
_LOUDNESS = 8000  # of 32767
# One swing of the lowest step: all pitches are steps through it, so that no machine's sine rounds another way.
_SWING = RATE_HZ // _STEP_HZ
_WAVE = np.array([round(math.sin(2 * math.pi * at / _SWING) * _LOUDNESS) for at in range(_SWING)], dtype="<i2")


class Tone:
    """Speaks in beeps; needs nothing."""

    name = "tone.1"

    async def render(self, utterance: Utterance) -> bytes:
        """Beep; see VoiceProvider. Never fails."""
        return await asyncio.to_thread(_beep, tone_ms(utterance), tone_hz(utterance))

    def missing(self) -> list[str]:
        """See VoiceProvider."""
        return []


def tone_ms(utterance: Utterance) -> int:
    """How long an utterance beeps."""
    return min(max(len(_spoken(utterance)) * _MS_PER_CHARACTER, _SHORTEST_MS), _LONGEST_MS)


def tone_hz(utterance: Utterance) -> int:
    """How high an utterance beeps."""
    return _LOWEST_HZ + hashlib.sha256(_spoken(utterance).encode()).digest()[0] % _STEPS * _STEP_HZ


def _beep(length_ms: int, pitch_hz: int) -> bytes:
    at = np.arange(length_ms * RATE_HZ // 1000)
    return as_wav(_WAVE[at * (pitch_hz // _STEP_HZ) % len(_WAVE)].tobytes())


def _spoken(utterance: Utterance) -> str:
    return plain_text(utterance.text) if utterance.markup else utterance.text
