"""Voice names of applications become a language and a gender."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.speech.utterance import Gender, Utterance
from controlplane.speech.voices import utterance_of
from controlplane.verbs.documents import Say

MAN, WOMAN = Gender.MALE, Gender.FEMALE


@pytest.mark.parametrize(
    ("voice", "language", "expected"),
    [
        ("man", "en-US", ("en-us", MAN)),
        ("woman", "fr-FR", ("fr-fr", WOMAN)),
        ("alice", "de-DE", ("de-de", WOMAN)),
        ("Polly.Joanna", "en-US", ("en-us", WOMAN)),
        ("Polly.Matthew-Neural", "en-US", ("en-us", MAN)),
        ("Polly.Céline", "en-US", ("fr-fr", WOMAN)),
        ("Polly.Hans", "en-US", ("de-de", MAN)),
        ("Polly.Aditi", "hi-IN", ("hi-in", WOMAN)),
        ("Polly.Lupe-Generative", "es-US", ("es-us", WOMAN)),
        ("Polly.Nobody-Neural", "it-IT", ("it-it", WOMAN)),
        ("Google.de-DE-Wavenet-B", "en-US", ("de-de", WOMAN)),
        ("Google.pt-BR-Chirp3-HD-Puck", "en-US", ("pt-br", MAN)),
        ("Google.pt-BR-Chirp3-HD-Kore", "en-US", ("pt-br", WOMAN)),
        ("Google.ja-JP", "en-US", ("ja-jp", WOMAN)),
        ("Google.", "sv-SE", ("sv-se", WOMAN)),
        ("Robot9000", "xx-XX", ("xx-xx", WOMAN)),
        ("man", "not a language", ("en-us", MAN)),
        ("man", "", ("en-us", MAN)),
        ("man", "zh_CN", ("zh-cn", MAN)),
    ],
)
def test_a_voice_name_and_a_language_cast_an_utterance(voice: str, language: str, expected: tuple[str, Gender]) -> None:
    assert utterance_of(Say("hi", voice=voice, language=language)) == Utterance("hi", *expected)


def test_markup_is_passed_on() -> None:
    assert utterance_of(Say("<p>hi</p>", markup=True)) == Utterance("<p>hi</p>", "en-us", MAN, True)


def test_characters_that_are_no_text_become_spaces() -> None:
    assert utterance_of(Say("a\x00b\x01c\x1bd\ud800e\uffff\nf")).text == "a b c d e \nf"


@given(st.text(), st.text())
def test_no_name_and_no_language_is_ever_refused(voice: str, language: str) -> None:
    utterance = utterance_of(Say("hi", voice=voice, language=language))

    assert utterance.text == "hi"
    assert utterance.language
