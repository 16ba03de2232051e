"""Which sounds are in a recording, from when to when: normalised cross-correlation (Lewis, 1995) with sounds we know.

A sound is found by its head, the first half second in which there is anything to hear (or half a second soon after it,
where packets were lost), and followed from there block by block, so that one that was cut off is known, too, and by how
much. What µ-law does to audio leaves a likeness of 0.9 and more; other speech has less than 0.4. A machine that stood
still puts holes into audio, or takes parts from it: blocks may be missing or come late, as long as what comes after
them is clear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from controlplane.emulator.phones.rtp import RATE_HZ, Samples

Floats = npt.NDArray[np.float64]

_HEAD = RATE_HZ // 2
_HEAD_STEP = RATE_HZ // 5
_HEADS = 3
_BLOCK = RATE_HZ // 5
_SLIP = RATE_HZ // 10  # how far packets that came late move what follows
_LONG_SLIP = RATE_HZ  # after blocks that were not found
_MOST_MISSED = 3
_LOUD = 150  # of 32767: what is below is silence
_ALIKE, _CLEARLY_ALIKE, _SURELY_ALIKE = 0.65, 0.8, 0.85
_OVERLAP = RATE_HZ // 10
_NEAR = RATE_HZ // 100


@dataclass(frozen=True, slots=True)
class KnownSound:
    """A sound that can be recognised. `first` and `last` are its first and last loud samples."""

    name: str
    samples: Samples
    first: int = field(init=False)
    last: int = field(init=False)

    def __post_init__(self) -> None:
        loud = np.flatnonzero(np.abs(self.samples) > _LOUD)
        object.__setattr__(self, "first", int(loud[0]) if len(loud) else 0)
        object.__setattr__(self, "last", int(loud[-1]) + 1 if len(loud) else 0)

    @property
    def head(self) -> Samples:
        """What it is found by."""
        return self.samples[self.first : min(self.first + _HEAD, self.last)]

    @property
    def heads(self) -> list[tuple[int, Samples]]:
        """The same and what it can be found by else, each with its place."""
        head = self.head
        places = range(self.first, max(self.last - _HEAD, self.first) + 1, _HEAD_STEP)[:_HEADS]
        return [(place, self.samples[place : place + len(head)]) for place in places]

    @property
    def duration_ms(self) -> int:
        """How long it plays."""
        return len(self.samples) * 1000 // RATE_HZ


@dataclass(frozen=True, slots=True)
class Recognised:
    """A sound in a recording: the sample where its first one lies, and up to which of its own it was heard."""

    sound: KnownSound
    at: int
    length: int

    @property
    def is_whole(self) -> bool:
        """It was heard to its end."""
        return self.length >= self.sound.last

    @property
    def end(self) -> int:
        return self.at + self.length


def recognise(heard: Samples, known: Iterable[KnownSound]) -> list[Recognised]:
    """Every known sound in a recording, in the order they began; where several fit, the one that fits most."""
    signal = heard.astype(np.float64)
    found = [
        _follow(signal, sound, at - place, place + len(head))
        for sound in known
        if sound.last
        for place, head in sound.heads
        for at in _peaks(likeness(signal, head.astype(np.float64)), len(head))
    ]
    found.sort(key=lambda one: (-one.length + one.sound.first, one.sound.last))
    chosen: list[Recognised] = []
    for one in found:
        if all(
            one.end - _OVERLAP <= other.at + other.sound.first or other.end - _OVERLAP <= one.at + one.sound.first
            for other in chosen
        ):
            chosen.append(one)
    return sorted(chosen, key=lambda one: one.at)


def maybe_begins(heard: Samples, sounds: Sequence[KnownSound]) -> tuple[KnownSound, int] | None:
    """The sound of which a head is heard first, and the sample after that head; None if there is none."""
    signal = heard.astype(np.float64)
    firsts = []
    for sound, head in ((one, head) for one in sounds for _, head in one.heads):
        alike = likeness(signal, head.astype(np.float64))
        enough = np.flatnonzero(alike >= _ALIKE)
        if len(enough):
            first = int(enough[0])
            firsts.append((first + int(np.argmax(alike[first : first + _NEAR])) + len(head), sound))
    if not firsts:
        return None
    end, sound = min(firsts, key=lambda one: one[0])
    return sound, end


def head_length(sounds: Sequence[KnownSound]) -> int:
    """How many samples it takes to recognise the slowest of these."""
    return max((len(sound.head) for sound in sounds), default=0)


def likeness(signal: Floats, part: Floats) -> Floats:
    """How alike `part` and each place of `signal` are: -1 to 1, shorter than `signal` by `part` less one."""
    if len(part) == 0 or len(signal) < len(part):
        return np.zeros(0)
    size = 1 << (len(signal) + len(part) - 1).bit_length()
    spectrum = np.fft.rfft(signal, size) * np.conj(np.fft.rfft(part, size))
    product = np.fft.irfft(spectrum, size)[: len(signal) - len(part) + 1]
    sums = np.concatenate([[0.0], np.cumsum(signal * signal)])
    energy = np.maximum(sums[len(part) :] - sums[: -len(part)], 0.0)
    norm = np.sqrt(energy * np.dot(part, part))
    quiet = energy < len(part) * (_LOUD / 4) ** 2
    return np.where(quiet, 0.0, product / np.maximum(norm, 1.0))


def _peaks(alike: Floats, width: int) -> list[int]:
    """Places where the likeness is great enough and the greatest within `width`."""
    left, peaks = alike.copy(), []
    while len(left) and left[best := int(np.argmax(left))] >= _ALIKE:
        peaks.append(best)
        left[max(0, best - width // 2) : best + width // 2] = 0.0
    return peaks


def _follow(signal: Floats, sound: KnownSound, at: int, length: int) -> Recognised:
    """See how far a sound goes that began at `at` and was heard up to `length` of its samples."""
    slipped, missed = 0, 0
    for start, end in _blocks(length, sound.last):
        block = sound.samples[start:end].astype(np.float64)
        if np.sqrt(np.mean(block * block)) < _LOUD:
            continue  # too quiet to tell; what comes after it will
        slip = _slip(signal, block, at + slipped + start, has_missed=missed > 0)
        if slip is not None:
            slipped, missed, length = slipped + slip, 0, end
        elif missed == _MOST_MISSED:
            return Recognised(sound, at, length)
        else:
            missed += 1
    tail = sound.samples[max(sound.last - _BLOCK // 2, 0) : sound.last].astype(np.float64)
    if missed and _slip(signal, tail, at + slipped + sound.last - len(tail), has_missed=True) is None:
        return Recognised(sound, at, length)
    return Recognised(sound, at, sound.last)


def _blocks(start: int, end: int) -> Iterator[tuple[int, int]]:
    """From where to where the blocks are; none is shorter than another where that can be: a short one is like much."""
    first = start
    while end - start > _BLOCK:
        yield start, start + _BLOCK
        start += _BLOCK
    if start < end:
        yield max(first, end - _BLOCK), end


def _slip(signal: Floats, block: Floats, at: int, *, has_missed: bool) -> int | None:
    """By how many samples a block lies off its place; None if it is not there."""
    here = likeness(signal[max(at, 0) : at + len(block)], block)
    if len(here) and here[0] >= _SURELY_ALIKE:
        return 0
    start = max(0, at - (_LONG_SLIP if has_missed else _SLIP))
    around = likeness(signal[start : at + len(block) + (_LONG_SLIP if has_missed else _SLIP)], block)
    enough = _CLEARLY_ALIKE if has_missed else _ALIKE
    if not len(around) or around[best := int(np.argmax(around))] < enough:
        return None
    return start + best - at
