"""Whoever hears nothing any more counts, and nobody is left out of what is told of a kill."""

from __future__ import annotations

import math

from controlplane.emulator.phones.heard import HeardAudio
from controlplane.emulator.phones.rtp import FRAME, Packet, to_ulaw
from tests.chaos.twins.flows import tone
from tests.chaos.twins.silence import longest_silence_ms, measure, sentence

FAULT_S = 10.0


def heard_until(end_s: float, again_s: float = math.inf) -> HeardAudio:
    """A tone until some time, and again from another; the clock is the recording's own."""
    heard, frame = HeardAudio(0.0), to_ulaw(tone(440, 1)[:FRAME])
    for number in range(1000):
        at_s = number * 0.02
        if at_s < end_s or at_s >= again_s:
            heard.take(Packet(0, number, number * FRAME, False, frame), at_s + 0.02)
    return heard


def test_a_silence_lasts_from_sound_to_sound() -> None:
    assert longest_silence_ms(heard_until(10.0, 10.7), 9.5, 15.0) == 700
    assert longest_silence_ms(heard_until(10.0), 9.5, 15.0) == 5000


def test_two_of_fifty_who_hear_nothing_any_more_are_counted() -> None:
    kill = measure([*[("talk", heard_until(10.0, 10.7))] * 48, *[("prompt", heard_until(10.0))] * 2], FAULT_S)
    assert kill == {
        "listeners": 50, "gone": 2, "silences_ms": [700] * 48 + [5000] * 2, "silence_p50_ms": 700,
        "silence_p95_ms": 700, "silence_most_ms": 5000, "silence_prompt_p50_ms": 5000, "silence_talk_p50_ms": 700,
    }  # fmt: skip


def test_one_kill_of_many_after_which_nobody_hears_anything_is_seen() -> None:
    well, dead = measure([("talk", heard_until(10.0, 10.7))], FAULT_S), measure([("talk", heard_until(9.8))], FAULT_S)
    assert sentence([*[well] * 19, dead]) == (
        "silence of all 20 listeners: p50 700 ms, p95 700 ms, p99 5200 ms, most 5200 ms; 1 heard nothing any more"
    )


def test_who_was_never_heard_from_is_gone() -> None:
    kill = measure([("prompt", HeardAudio(0.0))], FAULT_S)
    assert (kill["gone"], kill["silences_ms"]) == (1, [5500])


def test_nobody_who_listens_is_no_silence() -> None:
    assert sentence([measure([], FAULT_S)]) == "nobody listened"
