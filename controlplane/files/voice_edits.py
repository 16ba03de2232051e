"""What is done to recordings: trim silence, split, join and mix channels, make an MP3. In blocks, of any length."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from controlplane.files.errors import UnusableAudio
from controlplane.files.pcm import Pcm, PcmWriter, Samples, open_pcm

# FreeSWITCH's own bound between voice and silence when it ends a recording is a mean of 200 of 32768 a frame.
_VOICE_LEVEL = 200
_FRAME_MS = 20
_MARGIN_MS = 100  # kept around the voice: soft beginnings and ends of words
_MP3_LEVEL = 0.5  # about 32 kbit/s for one channel of 8 kHz, as applications expect (twilio.md 5.6)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a recording is like. `voice_ms` is where the first voice begins and the last ends, None if there is none."""

    duration_ms: int
    channels: int
    size_bytes: int
    voice_ms: tuple[int, int] | None
    is_whole: bool = True  # not broken off by the end of its media node


def measure(source: Path) -> Measured:
    """Look through a recording; raises UnusableAudio."""
    pcm = open_pcm(source)
    return Measured(pcm.duration_ms, pcm.channels, source.stat().st_size, _voice_ms(pcm), pcm.is_whole)


def mend(source: Path, target: Path) -> int:
    """Copy what there is, under a header that says how much that is; answer how long it is, in ms."""
    pcm = open_pcm(source)
    with PcmWriter(target, channels=pcm.channels, rate_hz=pcm.rate_hz) as writer:
        for block in pcm.blocks():
            writer.write(block)
        return writer.frames * 1000 // pcm.rate_hz


def trim(source: Path, target: Path) -> int:
    """Copy without the silence at both ends; answer how long the copy is, in ms: 0 if nobody speaks."""
    pcm = open_pcm(source)
    voice_ms = _voice_ms(pcm)
    first_ms, end_ms = (0, 0) if voice_ms is None else (max(voice_ms[0] - _MARGIN_MS, 0), voice_ms[1] + _MARGIN_MS)
    with PcmWriter(target, channels=pcm.channels, rate_hz=pcm.rate_hz) as writer:
        for block in pcm.blocks(_frames(pcm, first_ms), _frames(pcm, end_ms)):
            writer.write(block)
        return writer.frames * 1000 // pcm.rate_hz


def split(source: Path, first: Path, second: Path) -> None:
    """Write the two channels of a recording into a file each."""
    pcm = open_pcm(source)
    if pcm.channels != 2:
        raise UnusableAudio("the recording has one channel")
    with (
        PcmWriter(first, channels=1, rate_hz=pcm.rate_hz) as left,
        PcmWriter(second, channels=1, rate_hz=pcm.rate_hz) as right,
    ):
        for block in pcm.blocks():
            left.write(block[:, :1])
            right.write(block[:, 1:])


def join(first: Path, second: Path, target: Path) -> None:
    """Write two recordings of one channel as the channels of one; the shorter is filled up with silence."""
    left, right = open_pcm(first), open_pcm(second)
    if (left.channels, right.channels, left.rate_hz) != (1, 1, right.rate_hz):
        raise UnusableAudio("recordings to join must have one channel and one rate")
    nothing: Samples = np.zeros((0, 1), dtype="<i2")
    with PcmWriter(target, channels=2, rate_hz=left.rate_hz) as writer:
        for a, b in zip_longest(left.blocks(), right.blocks(), fillvalue=nothing):
            length = max(len(a), len(b))
            writer.write(np.hstack([np.pad(block, ((0, length - len(block)), (0, 0))) for block in (a, b)]))


def mix(source: Path, target: Path) -> None:
    """Write both channels as one, each at its loudness; what gets too loud is clipped."""
    pcm = open_pcm(source)
    with PcmWriter(target, channels=1, rate_hz=pcm.rate_hz) as writer:
        for block in pcm.blocks():
            total = block.sum(axis=1, dtype=np.int32, keepdims=True)
            writer.write(np.clip(total, -32_768, 32_767).astype("<i2"))


def make_mp3(source: Path, target: Path) -> None:
    """Write a recording as an MP3 file of 8 kHz, about 32 kbit/s a channel."""
    pcm = open_pcm(source)
    with _mp3_writer(target, pcm) as mp3:
        for block in pcm.blocks():
            mp3.write(block)


def _mp3_writer(target: Path, pcm: Pcm) -> Any:
    return soundfile.SoundFile(
        target, "w", samplerate=pcm.rate_hz, channels=pcm.channels, format="MP3", subtype="MPEG_LAYER_III",
        compression_level=_MP3_LEVEL, bitrate_mode="CONSTANT",
    )  # fmt: skip


def _voice_ms(pcm: Pcm) -> tuple[int, int] | None:
    """Where voice is heard for the first and the last time, on any channel, in steps of a frame."""
    step = pcm.rate_hz * _FRAME_MS // 1000
    first = end = None
    at = 0
    for block in pcm.blocks():
        levels = np.abs(block.astype(np.int32)).max(axis=1)
        padded = np.pad(levels, (0, -len(levels) % step)).reshape(-1, step)
        voiced = np.flatnonzero(padded.mean(axis=1) > _VOICE_LEVEL)
        if len(voiced):
            first = at + int(voiced[0]) * step if first is None else first
            end = min(at + (int(voiced[-1]) + 1) * step, pcm.frames)
        at += len(block)
    if first is None or end is None:
        return None
    return first * 1000 // pcm.rate_hz, math.ceil(end * 1000 / pcm.rate_hz)


def _frames(pcm: Pcm, at_ms: int) -> int:
    return at_ms * pcm.rate_hz // 1000
