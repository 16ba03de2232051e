"""What engines write becomes WAV of 8 kHz, one channel, 16 bit."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest

from controlplane.speech.utterance import TOO_LONG, SpeechFailed
from controlplane.speech.wav import as_wav, normalise


def wav_of(rate_hz: int, samples: np.ndarray, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate_hz)
        writer.writeframes(samples.astype("<i2").tobytes())
    return file.getvalue()


def tone(rate_hz: int, pitch_hz: int, seconds: float) -> np.ndarray:
    return np.sin(2 * np.pi * pitch_hz * np.arange(int(rate_hz * seconds)) / rate_hz) * 10_000


def read(wav: bytes) -> tuple[int, int, int, np.ndarray]:
    with wave.open(io.BytesIO(wav)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), dtype="<i2")
        return reader.getnchannels(), reader.getsampwidth(), reader.getframerate(), samples


@pytest.mark.parametrize("rate_hz", [8000, 16_000, 22_050, 48_000])
def test_any_rate_becomes_8_khz_with_length_and_pitch_kept(rate_hz: int) -> None:
    channels, width, rate, samples = read(normalise(wav_of(rate_hz, tone(rate_hz, 440, 1.0))))

    assert (channels, width, rate) == (1, 2, 8000)
    assert abs(len(samples) - 8000) <= 2
    assert np.argmax(np.abs(np.fft.rfft(samples[:8000]))) == 440


def test_a_header_written_before_the_end_is_not_believed() -> None:
    wav = bytearray(wav_of(8000, tone(8000, 300, 0.5)))
    struct.pack_into("<I", wav, 40, 0x7FFFF000)

    assert len(read(normalise(bytes(wav)))[3]) == 4000


def test_chunks_that_are_not_known_are_passed_over() -> None:
    wav = wav_of(8000, tone(8000, 300, 0.5))
    listed = wav[:12] + struct.pack("<4sI", b"LIST", 5) + b"hello\0" + wav[12:]

    assert normalise(listed) == normalise(wav)


def test_no_sound_at_all_becomes_a_frame_of_silence() -> None:
    assert normalise(wav_of(22_050, np.array([]))) == as_wav(bytes(320))


@pytest.mark.parametrize(
    "wav",
    [
        b"",
        b"RIFF",
        b"not a wav file",
        wav_of(8000, tone(8000, 300, 0.5))[:30],
        wav_of(8000, tone(8000, 300, 0.5), channels=2),
        wav_of(8000, tone(8000, 300, 0.5), width=1),
        wav_of(1, tone(8000, 300, 0.5)),
    ],
)
def test_what_is_no_such_file_is_refused(wav: bytes) -> None:
    with pytest.raises(SpeechFailed):
        normalise(wav)


def test_more_than_a_quarter_of_an_hour_is_refused() -> None:
    with pytest.raises(SpeechFailed) as caught:
        normalise(wav_of(8000, np.zeros(8000 * 901)))

    assert caught.value.code == TOO_LONG
