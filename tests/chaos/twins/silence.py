"""How long those whose media node died heard nothing, and who of them never heard anything again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from controlplane.emulator.phones.heard import HeardAudio
from controlplane.emulator.phones.rtp import FRAME, RATE_HZ
from tests.chaos.report import percentile

BEFORE_S, AFTER_S = 0.5, 5.0  # of the kill: where silence is looked for
LAST_S = 1.0
LISTENING = ("prompt", "talk")  # who hears something all the time
FRAME_MS = FRAME * 1000 // RATE_HZ
_LOUD = 500  # of 32,767


def longest_silence_ms(heard: HeardAudio, from_s: float, to_s: float) -> int:
    """Between two moments of the clock of `heard.began_s`. What is yet to be heard is silent."""
    start = max(0, round((from_s - heard.began_s) * RATE_HZ))
    samples = np.zeros(max(0, round((to_s - heard.began_s) * RATE_HZ) - start), np.int16)
    there = heard.samples(start, start + len(samples))
    samples[: len(there)] = there
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME).astype(np.int32)
    longest = run = 0
    for is_loud in np.abs(frames).max(axis=1) > _LOUD:
        run = 0 if is_loud else run + 1
        longest = max(longest, run)
    return longest * FRAME_MS


def measure(listeners: Sequence[tuple[str, HeardAudio]], fault_s: float) -> dict[str, Any]:
    """What all who should have heard something did (their flow, and what), whatever their telephones think of the call.

    `fault_s` is of the monotonic clock, and AFTER_S ago. `gone` are those who heard nothing in the last second, and
    `silences_ms` has them, too.
    """
    until_s = fault_s + AFTER_S
    silences = [(flow, longest_silence_ms(heard, fault_s - BEFORE_S, until_s)) for flow, heard in listeners]
    at_last = [longest_silence_ms(heard, until_s - LAST_S, until_s) for _, heard in listeners]
    kinds = {flow: sorted(ms for whose, ms in silences if whose == flow) for flow in LISTENING}
    ordered = sorted(ms for _, ms in silences)
    return {
        "listeners": len(listeners),
        "gone": sum(ms > LAST_S * 1000 - 2 * FRAME_MS for ms in at_last),  # two frames: the ends of what is cut out
        "silences_ms": ordered,
        **(_percentiles(ordered) if ordered else {}),
        **{f"silence_{flow}_p50_ms": percentile(some, 50) for flow, some in kinds.items() if some},
    }


def _percentiles(ordered: Sequence[int]) -> dict[str, int]:
    shown = {f"silence_p{part}_ms": percentile(ordered, part) for part in (50, 95)}
    return {**shown, "silence_most_ms": ordered[-1]}


def sentence(kills: Sequence[Mapping[str, Any]]) -> str:
    """What all listeners of all kills came to."""
    ordered = sorted(chain.from_iterable(kill["silences_ms"] for kill in kills))
    if not ordered:
        return "nobody listened"
    shown = ", ".join(f"p{part} {percentile(ordered, part)} ms" for part in (50, 95, 99))
    gone = sum(kill["gone"] for kill in kills)
    return f"silence of all {len(ordered)} listeners: {shown}, most {ordered[-1]} ms; {gone} heard nothing any more"
