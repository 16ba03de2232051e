"""What engines write, made into what media nodes play: WAV of 8 kHz, one channel, 16 bit."""

from __future__ import annotations

import struct

import numpy as np
import soxr

from controlplane.speech.utterance import TOO_LONG, SpeechFailed

RATE_HZ = 8000
MAX_SPEECH_S = 900
HEADER_BYTES = 44
_PCM = 1
_SHORTEST = bytes(RATE_HZ // 50 * 2)  # 20 ms: a player gets at least one frame, also of a text without a sound


def normalise(wav: bytes) -> bytes:
    """Make an engine's WAV (16-bit PCM of one channel, any rate) one of 8 kHz; raises SpeechFailed."""
    rate_hz, samples = _read(wav)
    if len(samples) > rate_hz * 2 * MAX_SPEECH_S:
        raise SpeechFailed(f"the speech is longer than {MAX_SPEECH_S // 60} minutes", TOO_LONG)
    if rate_hz == RATE_HZ or not samples:
        return as_wav(samples)
    resampled = soxr.resample(np.frombuffer(samples, dtype="<i2"), rate_hz, RATE_HZ)
    return as_wav(resampled.astype("<i2").tobytes())


def as_wav(samples: bytes) -> bytes:
    """Put a header before 16-bit samples of 8 kHz."""
    samples = samples or _SHORTEST
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, _PCM, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    riff = struct.pack("<4sI4s", b"RIFF", 36 + len(samples), b"WAVE")
    return riff + form + struct.pack("<4sI", b"data", len(samples)) + samples


def _read(wav: bytes) -> tuple[int, bytes]:
    """The rate and the samples. A length that is too great (a header written first) means: to the end."""
    if wav[:4] != b"RIFF" or wav[8:12] != b"WAVE":
        raise SpeechFailed("the speech engine wrote no WAV file")
    rate_hz, at = 0, 12
    while at + 8 <= len(wav):
        kind, size_bytes = struct.unpack_from("<4sI", wav, at)
        body = wav[at + 8 : at + 8 + size_bytes]
        if kind == b"fmt ":
            rate_hz = _rate_of(body)
        if kind == b"data" and rate_hz:
            return rate_hz, body[: len(body) & ~1]
        at += 8 + size_bytes + size_bytes % 2
    raise SpeechFailed("the speech engine wrote a WAV file without sound")


def _rate_of(form: bytes) -> int:
    if len(form) < 16:
        raise SpeechFailed("the speech engine wrote a broken WAV file")
    codec, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if (codec, channels, bits) != (_PCM, 1, 16) or not 4000 <= rate_hz <= 192_000:
        raise SpeechFailed("the speech engine wrote a WAV file of an unexpected kind")
    return int(rate_hz)
