"""Sounds that telephones say and know: prompts and voices as samples, the beep, and what people of a scenario say."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator

import numpy as np

from controlplane.emulator.phones.rtp import RATE_HZ, Samples
from controlplane.emulator.scenarios import GREETING, Say, Scenario, Then

_BEEP_HZ, _BEEP_S, _BEEP_LEVEL = 1000, 0.3, 4000


def samples_of(wav: bytes) -> Samples:
    """The samples of a WAV file of 8 kHz, one channel, 16 bit."""
    with wave.open(io.BytesIO(wav)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def beep() -> Samples:
    """What a media node plays before it records (esl/sounds.py), and a little silence."""
    tone = np.sin(np.arange(int(_BEEP_S * RATE_HZ)) * 2 * np.pi * _BEEP_HZ / RATE_HZ) * _BEEP_LEVEL
    return np.concatenate([tone.astype(np.int16), np.zeros(RATE_HZ // 10, np.int16)])


def spoken(scenario: Scenario) -> Iterator[str]:
    """Everything that people say."""
    scripts = [caller.script for caller in scenario.callers]
    scripts += [callee.after_answer for callee in scenario.callees.values()]
    yield from (step.text for script in scripts for step in script if isinstance(step, Say))
    if any(callee.then is Then.VOICEMAIL for callee in scenario.callees.values()):
        yield GREETING.text
