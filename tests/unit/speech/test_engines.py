"""The real engines, where they are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from controlplane.base.errors import BadInput
from controlplane.speech.espeak import Espeak, espeak_command, espeak_input, espeak_voice
from controlplane.speech.flite import Flite, flite_command, flite_input
from controlplane.speech.process import Bounds
from controlplane.speech.speaker import provider_named
from controlplane.speech.tone import Tone
from controlplane.speech.utterance import Gender, SpeechFailed, Utterance, VoiceProvider
from controlplane.speech.wav import HEADER_BYTES

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
engines = pytest.mark.parametrize(
    "engine", [pytest.param(Espeak(), marks=needs_espeak), pytest.param(Flite(), marks=needs_flite)]
)
MAN, WOMAN = Gender.MALE, Gender.FEMALE


def said(text: str, language: str = "en-us", *, markup: bool = False, gender: Gender = MAN) -> Utterance:
    return Utterance(text, language, gender, markup)


def seconds(wav: bytes) -> float:
    return (len(wav) - HEADER_BYTES) / 16_000


def test_the_command_line_is_made_of_tables() -> None:
    assert espeak_command("espeak-ng", said("-w /etc/passwd", "fr-CA; rm", markup=True)) == (
        "espeak-ng", "--stdin", "-b", "1", "-z", "-v", "fr-fr+m3", "-m", "-w", "{out}",
    )  # fmt: skip
    assert flite_command("flite", said("-o x", gender=WOMAN)) == (
        "flite", "-voice", "slt", "-f", "/dev/stdin", "-o", "{out}",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en-us", "en-us"), ("en-au", "en-gb"), ("en-zz", "en-us"), ("es-mx", "es-419"), ("es-es", "es"),
        ("pt-pt", "pt"), ("pt-br", "pt-br"), ("zh-cn", "cmn"), ("cmn-hans-cn", "cmn"), ("zh-hk", "yue"),
        ("de-at", "de"), ("nb-no", "nb"), ("arb", "ar"), ("tlh", None), ("", None),
    ],
)  # fmt: skip
def test_languages_fall_back_to_what_espeak_has(language: str, voice: str | None) -> None:
    assert espeak_voice(language) == voice


def test_brackets_do_not_begin_phonemes() -> None:
    assert espeak_input(said("a [[h@loU]]")) == b"a [ [h@loU]]"
    assert espeak_input(said("[<w>[</w>x", markup=True)) == b"[ [x"
    assert flite_input(said("a <break/>b", markup=True)) == b"a \n\nb\n"


@engines
async def test_an_engine_speaks_at_a_human_pace(engine: VoiceProvider) -> None:
    wav = await engine.render(said("Thank you for calling. Please hold the line."))

    assert wav[:4] == b"RIFF"
    assert 1.5 < seconds(wav) < 6
    assert max(wav[HEADER_BYTES:]) > 0


@engines
async def test_the_same_utterance_sounds_the_same(engine: VoiceProvider) -> None:
    assert await engine.render(said("One two.")) == await engine.render(said("One two."))


@engines
async def test_men_and_women_sound_different(engine: VoiceProvider) -> None:
    assert await engine.render(said("One two.")) != await engine.render(said("One two.", gender=WOMAN))


@engines
@pytest.mark.parametrize(
    "text",
    ["...", "{}", "日本語 naïve", "$(reboot) `id`", "-o /dev/null", "a\nb\n\nc", "s'" * 300, "x" * 300, "[[[[", "<p"],
)
async def test_odd_texts_are_spoken_or_passed_over(engine: VoiceProvider, text: str) -> None:
    assert (await engine.render(said(text)))[:4] == b"RIFF"


@needs_espeak
async def test_espeak_keeps_a_break_of_markup() -> None:
    without = await Espeak().render(said("Hello there", markup=True))
    with_break = await Espeak().render(said("Hello <break time='2s'/> there", markup=True))

    assert 1.5 < seconds(with_break) - seconds(without) < 2.6


@needs_espeak
async def test_espeak_is_given_no_file_to_play(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    await Espeak().render(said(f"hi <audio src='x\";touch {canary};\"'>there</audio>", markup=True))

    assert not canary.exists()


@needs_espeak
async def test_every_voice_in_the_table_is_there() -> None:
    from controlplane.speech.espeak import _VOICES

    for voice in sorted(set(_VOICES.values())):
        assert (await Espeak().render(said("1", voice)))[:4] == b"RIFF", voice


@needs_flite
async def test_flite_is_not_given_markup_that_it_hangs_on() -> None:
    wav = await Flite(bounds=Bounds(time_s=10)).render(said("<prosody rate='x-slow'>Hello</prosody>", markup=True))

    assert 0.3 < seconds(wav) < 2


@needs_flite
async def test_flite_speaks_several_sentences() -> None:
    one = await Flite().render(said("Hello there."))
    three = await Flite().render(said("Hello there. Hello there. Hello there."))

    assert seconds(three) > 2 * seconds(one)


async def test_an_engine_that_is_not_installed_says_how_to_get_it() -> None:
    assert Espeak("no-such-program").missing() == ["espeak-ng: apt-get install espeak-ng"]
    assert Flite("no-such-program").missing() == ["flite: apt-get install flite"]
    with pytest.raises(SpeechFailed, match="cannot be run"):
        await Espeak("no-such-program").render(said("hi"))


def test_engines_are_chosen_by_the_name_of_the_setting() -> None:
    assert [type(provider_named(name)) for name in ("espeak-ng", "flite", "tone")] == [Espeak, Flite, Tone]
    with pytest.raises(BadInput, match="CALLPLANE_TTS is 'siri'; it can be espeak-ng, flite, tone"):
        provider_named("siri")
