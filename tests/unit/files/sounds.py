"""Sounds for the tests, and what can be read back from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from controlplane.files.pcm import PcmWriter, open_pcm

Wave = npt.NDArray[np.float64]


def tone(seconds: float, pitch_hz: int = 440, rate_hz: int = 8000, loudness: float = 0.3) -> Wave:
    """A sine, -1 to 1."""
    wave: Wave = np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * rate_hz)) / rate_hz) * loudness
    return wave


def silence(seconds: float, rate_hz: int = 8000) -> Wave:
    """Nothing."""
    return np.zeros(round(seconds * rate_hz))


def write_wav(path: Path, *channels: Wave, rate_hz: int = 8000) -> Path:
    """A WAV file of 16-bit samples."""
    with PcmWriter(path, channels=len(channels), rate_hz=rate_hz) as writer:
        writer.write((np.stack(channels, axis=1) * 32_767).round().astype("<i2"))
    return path


def samples_of(path: Path) -> Any:
    """All samples of a WAV file: frames × channels."""
    pcm = open_pcm(path)
    blocks = list(pcm.blocks())
    return np.concatenate(blocks) if blocks else np.zeros((0, pcm.channels), dtype="<i2")


def pitch_of(path: Path) -> int:
    """The loudest pitch of a file's first channel, to the nearest 10 Hz."""
    pcm = open_pcm(path)
    spectrum = np.abs(np.fft.rfft(samples_of(path)[:, 0].astype(float)))
    return int(round(float(np.argmax(spectrum)) * pcm.rate_hz / pcm.frames, -1))
