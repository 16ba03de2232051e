"""What tenants serve, made into what media nodes play: WAV of 8 kHz, one channel, 16 bit.

Decoders are C libraries that read what strangers send: this runs in a process of its own (files/workshop.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr

from controlplane.files.errors import UnusableAudio
from controlplane.files.media_types import Coding, coding_of
from controlplane.files.pcm import RATE_HZ, PcmWriter

LONGEST_MS = 40 * 60 * 1000  # what is longer is cut there (twilio.md 1.4)
_BLOCK_SAMPLES = 1 << 16
_MOST_CHANNELS = 16
_LOWEST_HZ, _HIGHEST_HZ = 4000, 192_000
_HEAD_BYTES = 16
_RAW = {Coding.ULAW: "ULAW", Coding.GSM: "GSM610"}
_CONTAINERS = frozenset({"WAV", "WAVEX", "AIFF", "MP3", "OGG", "AU"})


def convert(source: Path, target: Path, media_type: str) -> int:
    """Decode `source` into `target`; answer how long it plays, in ms. Raises UnusableAudio.

    `media_type` is what the server called it, in lower case without parameters. Memory does not grow with the file.
    """
    try:
        with _open(source, media_type) as sound:
            _check(sound)
            return _resample(sound, target)
    except soundfile.LibsndfileError as error:
        raise UnusableAudio("the file cannot be decoded") from error


def _open(source: Path, media_type: str) -> Any:
    """Open with a decoder that goes with the file's first bytes; what has no header is taken for what it is called."""
    with source.open("rb") as file:
        coding = coding_of(media_type, file.read(_HEAD_BYTES))
    if coding in _RAW:
        return soundfile.SoundFile(source, samplerate=RATE_HZ, channels=1, format="RAW", subtype=_RAW[coding])
    return soundfile.SoundFile(source)


def _check(sound: Any) -> None:
    if sound.format not in _CONTAINERS | {"RAW"}:
        raise UnusableAudio("the file is not of a type that can be played")
    if not _LOWEST_HZ <= sound.samplerate <= _HIGHEST_HZ:
        raise UnusableAudio(f"the file has {sound.samplerate} samples a second")
    if not 1 <= sound.channels <= _MOST_CHANNELS:
        raise UnusableAudio(f"the file has {sound.channels} channels")


def _resample(sound: Any, target: Path) -> int:
    """Write until the end or the longest there may be; the header's word about the length is not needed."""
    resampler = soxr.ResampleStream(sound.samplerate, RATE_HZ, 1, dtype="float32")
    most_frames = LONGEST_MS * RATE_HZ // 1000
    with PcmWriter(target, channels=1) as writer:
        for block, is_last in _mono_blocks(sound):
            heard = resampler.resample_chunk(block, last=is_last) if sound.samplerate != RATE_HZ else block
            writer.write(_as_16_bit(heard[: most_frames - writer.frames]))
            if writer.frames >= most_frames:
                break
        if not writer.frames:
            raise UnusableAudio("the file holds no sound")
        return writer.frames * 1000 // RATE_HZ


def _mono_blocks(sound: Any) -> Iterator[tuple[Any, bool]]:
    """Blocks of the mean of all channels, and whether it is the last."""
    size = _BLOCK_SAMPLES // sound.channels
    block = sound.read(size, dtype="float32", always_2d=True)
    while len(block):
        following = sound.read(size, dtype="float32", always_2d=True)
        yield np.nan_to_num(block.mean(axis=1, dtype="float32")), not len(following)
        block = following


def _as_16_bit(samples: Any) -> Any:
    return (np.clip(samples, -1.0, 32_767 / 32_768) * 32_768).round().astype("<i2")[:, np.newaxis]
