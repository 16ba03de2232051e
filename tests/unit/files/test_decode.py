"""What tenants serve becomes WAV of 8 kHz, one channel, 16 bit: real files of every kind, and hostile ones."""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from controlplane.files import decode
from controlplane.files.decode import convert
from controlplane.files.errors import UnusableAudio
from controlplane.files.pcm import open_pcm
from tests.unit.files.sounds import pitch_of, samples_of, tone, write_wav

needs_sox = pytest.mark.skipif(shutil.which("sox") is None, reason="sox is not installed")


@pytest.mark.parametrize(
    ("media_type", "form", "subtype", "rate_hz", "channels"),
    [
        ("audio/wav", "WAV", "PCM_16", 44_100, 2),
        ("audio/wave", "WAV", "PCM_24", 48_000, 1),
        ("audio/x-wav", "WAV", "FLOAT", 16_000, 6),
        ("audio/wav", "WAV", "ULAW", 8000, 1),
        ("audio/wav", "WAV", "GSM610", 8000, 1),
        ("audio/wav", "WAV", "IMA_ADPCM", 11_025, 1),
        ("audio/wav", "WAVEX", "PCM_32", 22_050, 2),
        ("audio/aiff", "AIFF", "PCM_16", 44_100, 2),
        ("audio/x-aifc", "AIFF", "ULAW", 8000, 1),
        ("audio/mpeg", "MP3", "MPEG_LAYER_III", 44_100, 2),
        ("audio/mpeg", "MP3", "MPEG_LAYER_III", 8000, 1),
        ("audio/ogg", "OGG", "VORBIS", 44_100, 2),
        ("audio/ogg", "OGG", "OPUS", 48_000, 1),
        ("audio/basic", "AU", "ULAW", 8000, 1),
        ("audio/basic", "RAW", "ULAW", 8000, 1),
        ("audio/ulaw", "RAW", "ULAW", 8000, 1),
        ("audio/gsm", "RAW", "GSM610", 8000, 1),
        ("audio/x-gsm", "RAW", "GSM610", 8000, 1),
    ],
)
def test_every_kind_of_file_is_converted_with_pitch_and_length_kept(
    tmp_path: Path, media_type: str, form: str, subtype: str, rate_hz: int, channels: int
) -> None:
    source, target = tmp_path / "in", tmp_path / "out.wav"
    wave = np.stack([tone(3.0, 500, rate_hz)] * channels, axis=1)
    soundfile.write(source, wave, rate_hz, format=form, subtype=subtype)

    duration_ms = convert(source, target, media_type)

    pcm = open_pcm(target)
    assert (pcm.rate_hz, pcm.channels, pcm.duration_ms) == (8000, 1, duration_ms)
    assert 2950 <= duration_ms <= 3150
    assert pitch_of(target) == 500
    assert 0.15 < np.abs(samples_of(target)[4000:20_000]).max() / 32_768 < 0.45


@needs_sox
@pytest.mark.parametrize(
    ("name", "media_type"),
    [("a.wav", "audio/wav"), ("a.aiff", "audio/x-aiff"), ("a.au", "audio/basic"), ("a.gsm", "audio/gsm"),
     ("a.ul", "audio/ulaw"), ("a.ogg", "audio/ogg")],
)  # fmt: skip
def test_files_that_sox_makes_are_converted(tmp_path: Path, name: str, media_type: str) -> None:
    source = tmp_path / name
    made = subprocess.run(["sox", "-n", "-r", "8000", "-c", "1", source, "synth", "2", "sine", "700"], check=False)
    if made.returncode:
        pytest.skip(f"this sox cannot write {name}")

    assert 1950 <= convert(source, tmp_path / "out.wav", media_type) <= 2050
    assert pitch_of(tmp_path / "out.wav") == 700


def test_channels_are_mixed_evenly(tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", tone(1.0, loudness=0.5), np.zeros(8000))

    convert(tmp_path / "in.wav", tmp_path / "out.wav", "audio/wav")

    assert np.abs(samples_of(tmp_path / "out.wav")).max() == pytest.approx(0.25 * 32_768, rel=0.01)


def test_what_is_longer_than_the_longest_is_cut_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode, "LONGEST_MS", 20_000)
    source = tmp_path / "in.mp3"
    soundfile.write(source, tone(30.0, rate_hz=44_100), 44_100, format="MP3")

    assert convert(source, tmp_path / "out.wav", "audio/mpeg") == 20_000
    assert open_pcm(tmp_path / "out.wav").duration_ms == 20_000


def test_forty_minutes_are_converted_in_little_memory(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.zeros((41 * 60 * 8000, 1), dtype="int16"), 8000, format="WAV", subtype="ULAW")
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert convert(source, tmp_path / "out.wav", "audio/wav") == 40 * 60 * 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 32 << 10


def good_wav(path: Path) -> bytes:
    return write_wav(path, tone(0.5)).read_bytes()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: c[:44], "holds no sound"),
        (lambda c: c[:30], "cannot be decoded"),
        (lambda c: c[:24] + struct.pack("<I", 1) + c[28:], "1 samples a second"),
        (lambda c: c[:24] + struct.pack("<I", 0x7FFFFFFF) + c[28:], "samples a second"),
        (lambda c: c[:22] + struct.pack("<H", 1000) + c[24:], "1000 channels"),
        (lambda c: c[:22] + struct.pack("<H", 0) + c[24:], "cannot be decoded"),
        (lambda c: b"RIFF\xff\xff\xff\xffWAVE" + b"fmt \xff\xff\xff\xff" + b"A" * 1000, "cannot be decoded"),
    ],
)
def test_lying_headers_are_refused(tmp_path: Path, change: object, problem: str) -> None:
    source = tmp_path / "in.wav"
    source.write_bytes(change(good_wav(source)))  # type: ignore[operator]

    with pytest.raises(UnusableAudio, match=problem):
        convert(source, tmp_path / "out.wav", "audio/wav")


def test_a_huge_declared_length_is_not_believed(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    content = bytearray(good_wav(source))
    struct.pack_into("<I", content, 4, 0xFFFFFFFF)
    struct.pack_into("<I", content, 40, 0xFFFFFFF0)
    source.write_bytes(content)

    assert convert(source, tmp_path / "out.wav", "audio/wav") == 500


@pytest.mark.parametrize(
    "content", [b"This is text, no music.\n" * 5000, b"\0" * 100_000, b"\xff\xfb\x90\x00" + b"A" * 70_000, b"ID3", b""]
)
def test_what_only_claims_to_be_mpeg_is_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "in.mp3"
    source.write_bytes(content)

    with pytest.raises(UnusableAudio):
        convert(source, tmp_path / "out.wav", "audio/mpeg")


def test_a_truncated_mp3_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    source = tmp_path / "in.mp3"
    soundfile.write(source, tone(10.0, rate_hz=44_100), 44_100, format="MP3")
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])

    assert 3000 < convert(source, tmp_path / "out.wav", "audio/mpeg") < 6000


def test_a_file_of_another_kind_under_an_mpeg_name_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "in.mp3"
    soundfile.write(source, tone(0.5), 8000, format="FLAC")

    with pytest.raises(UnusableAudio, match="not of a type that can be played"):
        convert(source, tmp_path / "out.wav", "audio/mpeg")


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    wave = tone(1.0).astype("float32")
    wave[100:200], wave[300:400], wave[500:600] = np.nan, np.inf, 1e30
    soundfile.write(tmp_path / "in.wav", wave, 8000, format="WAV", subtype="FLOAT")

    assert convert(tmp_path / "in.wav", tmp_path / "out.wav", "audio/wav") == 1000


@pytest.mark.parametrize(
    "kind", [("WAV", "PCM_16"), ("WAV", "GSM610"), ("AIFF", "PCM_16"), ("OGG", "VORBIS"), ("MP3", None)]
)
def test_damaged_files_are_played_or_refused(tmp_path: Path, kind: tuple[str, str | None]) -> None:
    source = tmp_path / "in"
    soundfile.write(source, tone(0.5), 8000, format=kind[0], subtype=kind[1])
    good = source.read_bytes()
    dice = random.Random(7)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(dice.randint(1, 20)):
            bad[dice.randrange(min(len(bad), 400))] = dice.randrange(256)
        source.write_bytes(bad)
        with contextlib.suppress(UnusableAudio):
            convert(source, tmp_path / "out.wav", "audio/mpeg" if kind[0] == "MP3" else "audio/wav")
            assert open_pcm(tmp_path / "out.wav").frames
