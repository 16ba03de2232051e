"""What is done to recordings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from controlplane.files.errors import UnusableAudio
from controlplane.files.pcm import open_pcm
from controlplane.files.voice_edits import Measured, join, make_mp3, measure, mix, split, trim
from tests.unit.files.sounds import pitch_of, samples_of, silence, tone, write_wav


def spoken(path: Path, before_s: float, voice_s: float, after_s: float, rate_hz: int = 8000) -> Path:
    noise = np.random.default_rng(1).normal(0, 0.001, round((before_s + voice_s + after_s) * rate_hz))
    voice = np.concatenate([silence(before_s, rate_hz), tone(voice_s, 440, rate_hz), silence(after_s, rate_hz)])
    return write_wav(path, voice + noise, rate_hz=rate_hz)


def test_a_recording_is_measured(tmp_path: Path) -> None:
    path = spoken(tmp_path / "a.wav", 2.0, 3.0, 1.0)

    assert measure(path) == Measured(6000, 1, 44 + 6 * 16_000, (2000, 5000))


def test_voice_is_found_on_either_channel(tmp_path: Path) -> None:
    path = write_wav(
        tmp_path / "a.wav",
        np.concatenate([silence(1.0), tone(1.0), silence(3.0)]),
        np.concatenate([silence(3.0), tone(1.0), silence(1.0)]),
    )

    assert measure(path) == Measured(5000, 2, 44 + 5 * 32_000, (1000, 4000))


def test_a_recording_without_a_voice_says_so(tmp_path: Path) -> None:
    assert measure(spoken(tmp_path / "a.wav", 3.0, 0.0, 0.0)).voice_ms is None
    assert measure(write_wav(tmp_path / "b.wav", silence(0))) == Measured(0, 1, 44, None)


@pytest.mark.parametrize("rate_hz", [8000, 16_000])
def test_trimming_takes_silence_from_both_ends_and_leaves_a_margin(tmp_path: Path, rate_hz: int) -> None:
    source = spoken(tmp_path / "a.wav", 20.0, 3.0, 15.0, rate_hz)

    assert trim(source, tmp_path / "b.wav") == 3200
    assert np.array_equal(
        samples_of(tmp_path / "b.wav"), samples_of(source)[19_900 * rate_hz // 1000 : 23_100 * rate_hz // 1000]
    )


def test_silence_in_the_middle_stays(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", np.concatenate([tone(1.0), silence(10.0), tone(1.0)]))

    assert trim(source, tmp_path / "b.wav") == 12_000


def test_a_silent_recording_is_trimmed_to_nothing(tmp_path: Path) -> None:
    assert trim(write_wav(tmp_path / "a.wav", silence(5.0)), tmp_path / "b.wav") == 0


def test_both_channels_are_trimmed_alike(tmp_path: Path) -> None:
    source = write_wav(tmp_path / "a.wav", np.concatenate([silence(2.0), tone(1.0)]), silence(3.0))

    assert trim(source, tmp_path / "b.wav") == 1100
    assert open_pcm(tmp_path / "b.wav").channels == 2


def test_channels_are_split_and_joined_again(tmp_path: Path) -> None:
    a, b, c, d = (tmp_path / f"{name}.wav" for name in "abcd")
    write_wav(a, tone(20.0, 400), tone(20.0, 600))

    split(a, b, c)
    join(b, c, d)

    assert (pitch_of(b), pitch_of(c)) == (400, 600)
    assert d.read_bytes() == a.read_bytes()


def test_the_shorter_of_two_is_filled_up_with_silence(tmp_path: Path) -> None:
    a, b, c = (tmp_path / f"{name}.wav" for name in "abc")
    write_wav(a, tone(10.0))
    write_wav(b, tone(1.0))

    join(a, b, c)

    joined = samples_of(c)
    assert joined.shape == (80_000, 2)
    assert not joined[8000:, 1].any()


def test_channels_are_mixed_and_clipped(tmp_path: Path) -> None:
    a, b = tmp_path / "a.wav", tmp_path / "b.wav"
    write_wav(a, np.array([0.1, 0.9, -0.9, 0.5]), np.array([0.2, 0.9, -0.9, -0.5]))

    mix(a, b)

    assert samples_of(b).T.tolist() == [[9830, 32_767, -32_768, 0]]


def test_an_mp3_has_about_32_kbit_a_second(tmp_path: Path) -> None:
    a, b = tmp_path / "a.wav", tmp_path / "b.mp3"
    write_wav(a, tone(10.0))

    make_mp3(a, b)

    info = soundfile.info(b)
    assert (info.format, info.samplerate, info.channels) == ("MP3", 8000, 1)
    assert info.frames == pytest.approx(80_000, rel=0.02)
    assert b.stat().st_size * 8 / 10 == pytest.approx(32_000, rel=0.05)


def test_two_channels_stay_two_in_an_mp3(tmp_path: Path) -> None:
    a, b = tmp_path / "a.wav", tmp_path / "b.mp3"
    write_wav(a, tone(3.0), silence(3.0))

    make_mp3(a, b)

    assert soundfile.info(b).channels == 2


def test_edits_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    one, two, fast = (tmp_path / f"{name}.wav" for name in ("one", "two", "fast"))
    write_wav(one, tone(0.1))
    write_wav(two, tone(0.1), tone(0.1))
    write_wav(fast, tone(0.1), rate_hz=16_000)

    with pytest.raises(UnusableAudio):
        split(one, tmp_path / "x", tmp_path / "y")
    with pytest.raises(UnusableAudio):
        join(one, two, tmp_path / "x")
    with pytest.raises(UnusableAudio):
        join(one, fast, tmp_path / "x")
