"""Sounds found in recordings."""

from __future__ import annotations

import numpy as np
import pytest

from controlplane.emulator.phones.recognition import KnownSound, maybe_begins, recognise
from controlplane.emulator.phones.rtp import Samples, from_ulaw, to_ulaw


def speech(seed: int, seconds: float) -> Samples:
    """Something like speech: noise in syllables."""
    random = np.random.default_rng(seed)
    noise = np.convolve(random.normal(size=round(seconds * 8000)), np.ones(6) / 6, mode="same")
    syllables = np.abs(np.sin(np.arange(len(noise)) * 0.002 + seed))
    samples: Samples = (noise * syllables * 9000).astype(np.int16)
    return samples


def line(*parts: Samples | float) -> Samples:
    """A recording of a telephone: sounds, and pauses in seconds."""
    laid = [np.zeros(round(part * 8000), np.int16) if isinstance(part, float) else part for part in parts]
    return from_ulaw(to_ulaw(np.concatenate(laid)))


WELCOME, MENU, SHORT = (
    KnownSound(name, speech(seed, s)) for name, seed, s in (("a", 1, 1.5), ("b", 2, 3), ("c", 3, 0.3))
)
KNOWN = [WELCOME, MENU, SHORT]


def told(heard: Samples) -> list[tuple[str, bool]]:
    return [(one.sound.name, one.is_whole) for one in recognise(heard, KNOWN)]


def test_sounds_are_found_in_their_order_and_as_often_as_they_were_played() -> None:
    heard = line(0.4, WELCOME.samples, MENU.samples, 1.0, SHORT.samples, 0.2, WELCOME.samples)
    assert told(heard) == [("a", True), ("b", True), ("c", True), ("a", True)]
    assert [one.at for one in recognise(heard, KNOWN)] == [3200, 15200, 47200, 51200]


def test_a_sound_that_was_cut_off_is_known_and_by_how_much() -> None:
    heard = line(0.1, MENU.samples[:13_000], 0.5, WELCOME.samples)
    assert told(heard) == [("b", False), ("a", True)]
    assert recognise(heard, KNOWN)[0].length == pytest.approx(13_000, abs=1600)


def test_a_sound_with_lost_packets_in_it_is_whole() -> None:
    late = np.zeros(320, np.int16)
    assert told(line(MENU.samples[:9000], late, MENU.samples[9000:])) == [("b", True)]


@pytest.mark.parametrize("at", [500, 2000, 5000, 9000, 20_000, 23_000])
@pytest.mark.parametrize("gap_s", [0.1, 0.3, 0.5])
def test_a_sound_is_whole_though_the_machine_stood_still_in_it(at: int, gap_s: float) -> None:
    assert told(line(0.3, MENU.samples[:at], gap_s, MENU.samples[at:], 0.3, WELCOME.samples)) == [
        ("b", True),
        ("a", True),
    ]


@pytest.mark.parametrize("at", [500, 2000, 5000, 9000, 20_000])
@pytest.mark.parametrize("lost", [160, 800, 2400])
def test_a_sound_is_whole_though_a_part_of_it_was_lost(at: int, lost: int) -> None:
    assert told(line(0.3, MENU.samples[:at], MENU.samples[at + lost :], 0.3, WELCOME.samples)) == [
        ("b", True),
        ("a", True),
    ]


@pytest.mark.parametrize("cut", [6000, 13_000, 20_000, 22_000])
def test_a_sound_that_another_one_breaks_off_is_not_whole(cut: int) -> None:
    assert told(line(0.1, MENU.samples[:cut], WELCOME.samples, 0.5, MENU.samples)) == [
        ("b", False),
        ("a", True),
        ("b", True),
    ]


def test_a_sound_of_which_the_beginning_was_missed_is_not_taken_for_heard() -> None:
    assert told(line(MENU.samples[9000:], 0.5)) == []


def test_of_two_sounds_with_one_beginning_the_one_that_goes_on_like_that_is_meant() -> None:
    longer = KnownSound("longer", np.concatenate([WELCOME.samples, speech(7, 1)]))
    known = [WELCOME, longer]
    assert [one.sound.name for one in recognise(line(0.1, WELCOME.samples, 0.5), known)] == ["a"]
    assert [one.sound.name for one in recognise(line(0.1, longer.samples, 0.5), known)] == ["longer"]


def test_nothing_is_heard_in_silence_and_in_noise() -> None:
    assert told(line(3.0)) == []
    assert told(line(speech(99, 3))) == []
    assert told(np.zeros(0, np.int16)) == []


def test_a_sound_that_begins_is_noticed_when_its_head_was_heard() -> None:
    heard = line(0.4, WELCOME.samples[:5000])
    assert maybe_begins(heard, KNOWN) == (WELCOME, 3200 + WELCOME.first + 4000)
    assert maybe_begins(heard[:6000], KNOWN) is None
    assert maybe_begins(heard, [MENU]) is None


def test_a_sound_that_begins_is_noticed_though_the_machine_stood_still_in_its_head() -> None:
    heard = line(0.4, WELCOME.samples[:1500], 0.3, WELCOME.samples[1500:8000])
    found = maybe_begins(heard, KNOWN)
    assert found is not None
    assert found[0] is WELCOME
