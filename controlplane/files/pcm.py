"""WAV files of 16-bit samples, as media nodes record them and we hand them out: read by our own eyes, in blocks.

A media node that dies in the middle of a recording leaves a header that says "no data": such a file is read to its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from controlplane.files.errors import UnusableAudio

Samples: TypeAlias = npt.NDArray[np.int16]  # frames × channels

RATE_HZ = 8000
HEADER_BYTES = 44
_BLOCK_FRAMES = 64_000  # whole 20 ms frames at the rates of telephony
_PCM, _EXTENSIBLE = 1, 0xFFFE
_HEADER_LIMIT_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Pcm:
    """A WAV file of 16-bit samples: where they are in it. One that is not whole says nothing, or too much, of that."""

    path: Path
    rate_hz: int
    channels: int
    first_byte: int
    frames: int
    is_whole: bool = True

    @property
    def duration_ms(self) -> int:
        """How long it plays."""
        return self.frames * 1000 // self.rate_hz

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Samples]:
        """The frames from `first` to before `end`, a block at a time."""
        end = self.frames if end is None else min(end, self.frames)
        frame_bytes = 2 * self.channels
        with self.path.open("rb") as file:
            file.seek(self.first_byte + first * frame_bytes)
            while first < end:
                data = file.read(min(_BLOCK_FRAMES, end - first) * frame_bytes)
                whole = len(data) // frame_bytes
                if not whole:
                    return
                first += whole
                yield np.frombuffer(data[: whole * frame_bytes], dtype="<i2").reshape(whole, self.channels)


class PcmWriter:
    """Writes a WAV file of 16-bit samples; the header is right once it is closed."""

    def __init__(self, path: Path, *, channels: int, rate_hz: int = RATE_HZ) -> None:
        self._channels, self._rate_hz, self.frames = channels, rate_hz, 0
        self._file = path.open("wb")
        self._file.write(bytes(HEADER_BYTES))

    def write(self, samples: Samples) -> None:
        """Add frames: an array of frames × channels."""
        self._file.write(samples.astype("<i2", copy=False).tobytes())
        self.frames += len(samples)

    def __enter__(self) -> PcmWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.seek(0)
        self._file.write(wav_header(self.frames, channels=self._channels, rate_hz=self._rate_hz))
        self._file.close()


def wav_header(frames: int, *, channels: int, rate_hz: int) -> bytes:
    """The 44 bytes before the samples."""
    size_bytes, frame_bytes = frames * channels * 2, channels * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, channels, rate_hz, rate_hz * frame_bytes, frame_bytes, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + size_bytes, b"WAVE") + form + struct.pack("<4sI", b"data", size_bytes)


def open_pcm(path: Path) -> Pcm:
    """Look at a WAV file of 16-bit samples in one or two channels; raises UnusableAudio if it is none."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            raise UnusableAudio("not a WAV file")
        rate_hz = channels = 0
        for kind, length_bytes in _chunks(file):
            if kind == b"fmt ":
                rate_hz, channels = _form(file.read(min(length_bytes, 64)))
            if kind == b"data" and rate_hz:
                left_bytes = size_bytes - file.tell()
                is_whole = 0 < length_bytes <= left_bytes or not left_bytes
                data_bytes = length_bytes if is_whole else left_bytes
                return Pcm(path, rate_hz, channels, file.tell(), data_bytes // (2 * channels), is_whole)
    raise UnusableAudio("a WAV file without sound")


def _chunks(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Kind and length of each chunk, the file standing at its content."""
    while file.tell() < _HEADER_LIMIT_BYTES and len(head := file.read(8)) == 8:
        kind, length_bytes = struct.unpack("<4sI", head)
        content = file.tell()
        yield kind, length_bytes
        file.seek(content + length_bytes + length_bytes % 2)


def _form(form: bytes) -> tuple[int, int]:
    if len(form) < 16:
        raise UnusableAudio("a broken WAV file")
    codec, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if codec not in (_PCM, _EXTENSIBLE) or bits != 16 or channels not in (1, 2) or not 4000 <= rate_hz <= 192_000:
        raise UnusableAudio("not a WAV file of 16-bit samples in one or two channels")
    return rate_hz, channels
