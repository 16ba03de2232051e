"""WAV files of 16-bit samples."""

from __future__ import annotations

import struct
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.files.errors import UnusableAudio
from controlplane.files.pcm import Pcm, open_pcm
from tests.unit.files.sounds import samples_of, silence, tone, write_wav


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.5), silence(1.5))

    assert open_pcm(path) == Pcm(path, 8000, 2, 44, 12_000)
    assert open_pcm(path).duration_ms == 1500
    with wave.open(str(path)) as reader:
        assert (reader.getnchannels(), reader.getframerate(), reader.getnframes()) == (2, 8000, 12_000)
        assert reader.readframes(12_000) == samples_of(path).tobytes()


def test_a_part_can_be_read(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(20.0))

    part = np.concatenate(list(open_pcm(path).blocks(100, 150_000)))

    assert np.array_equal(part, samples_of(path)[100:150_000])


@pytest.mark.parametrize("declared_bytes", [0, 0xFFFFFFFF, 0x7FFFF000])
def test_a_recording_that_was_cut_off_is_read_to_its_end(tmp_path: Path, declared_bytes: int) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 40, declared_bytes)
    path.write_bytes(content)

    assert open_pcm(path).frames == 8000


def test_chunks_around_the_sound_are_not_sound(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(1.0))
    content = path.read_bytes()
    listed = struct.pack("<4sI", b"LIST", 3) + b"abc\0"
    path.write_bytes(content[:36] + listed + content[36:] + listed)

    assert open_pcm(path) == Pcm(path, 8000, 1, 56, 8000)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: b"",
        lambda c: c[:11],
        lambda c: c[:43],
        lambda c: b"OggS" + c[4:],
        lambda c: c[:20] + struct.pack("<H", 7) + c[22:],
        lambda c: c[:22] + struct.pack("<H", 3) + c[24:],
        lambda c: c[:24] + struct.pack("<I", 1) + c[28:],
        lambda c: c[:34] + struct.pack("<H", 8) + c[36:],
        lambda c: c[:12] + struct.pack("<4sI", b"junk", 0xFFFFFFFF) + c[12:],
    ],
)
def test_other_files_are_refused(tmp_path: Path, change: object) -> None:
    path = write_wav(tmp_path / "a.wav", tone(0.1))
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]

    with pytest.raises(UnusableAudio):
        open_pcm(path)


@given(st.binary(max_size=200), st.integers(0, 60))
def test_broken_headers_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("pcm") / "a.wav"
    content = write_wav(path, tone(0.01)).read_bytes()
    path.write_bytes(content[:at] + noise + content[at:])

    try:
        pcm = open_pcm(path)
    except UnusableAudio:
        return
    assert sum(map(len, pcm.blocks())) <= pcm.frames
