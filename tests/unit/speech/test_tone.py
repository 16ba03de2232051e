"""The voice that beeps."""

from __future__ import annotations

import hashlib

import numpy as np

from controlplane.speech.tone import Tone, tone_hz, tone_ms
from controlplane.speech.utterance import Gender, Utterance
from controlplane.speech.wav import HEADER_BYTES


def said(text: str, *, markup: bool = False) -> Utterance:
    return Utterance(text, "en-us", Gender.MALE, markup)


async def test_a_beep_is_as_long_as_the_text_and_as_high_as_it_says() -> None:
    utterance = said("Press one for sales.")

    samples = np.frombuffer((await Tone().render(utterance))[HEADER_BYTES:], dtype="<i2")

    assert len(samples) == tone_ms(utterance) * 8 == 20 * 60 * 8
    assert np.argmax(np.abs(np.fft.rfft(samples, 8000))) == tone_hz(utterance)


async def test_the_same_text_is_the_same_bytes_everywhere() -> None:
    digest = hashlib.sha256(await Tone().render(said("Hello"))).hexdigest()

    assert digest == "10bc00b40dac56989de147155d32fad2364ad6862f8dd4347980b41efebf0295"


def test_texts_sound_different() -> None:
    assert len({tone_hz(said(f"text {number}")) for number in range(200)}) == 17


def test_lengths_are_bounded_and_tags_not_counted() -> None:
    assert [tone_ms(said("")), tone_ms(said("x" * 4000)), tone_ms(said("<p>hello</p>", markup=True))] == [
        200, 60_000, 300,
    ]  # fmt: skip


def test_it_needs_nothing() -> None:
    assert Tone().missing() == []
