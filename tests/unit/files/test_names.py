"""Names of files."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.base.errors import BadInput
from controlplane.files.names import is_safe_name, prompt_name, recording_name, safe_name
from controlplane.verbs.documents import Play, Say

HELLO = Say("Hello", voice="man", language="en-US")


def test_a_say_is_named_by_what_it_sounds_like() -> None:
    name = prompt_name(HELLO, made_by="espeak-ng.1")

    assert name == "say-ca98651d05d2737fbf25973abd6604049a11122d17eb5070b82acd266cbbd041.wav"
    assert prompt_name(replace(HELLO, loop=7), made_by="espeak-ng.1") == name


def test_whatever_changes_the_sound_changes_the_name() -> None:
    names = {
        prompt_name(HELLO, made_by="espeak-ng.1"),
        prompt_name(HELLO, made_by="flite.1"),
        prompt_name(replace(HELLO, text="Hello!"), made_by="espeak-ng.1"),
        prompt_name(replace(HELLO, voice="woman"), made_by="espeak-ng.1"),
        prompt_name(replace(HELLO, language="en-GB"), made_by="espeak-ng.1"),
        prompt_name(replace(HELLO, markup=True), made_by="espeak-ng.1"),
        prompt_name(Play("Hello"), made_by="espeak-ng.1"),
        prompt_name(Play("Hello"), made_by="another"),
    }

    assert len(names) == 8


def test_parts_cannot_run_into_each_other() -> None:
    assert prompt_name(Say("b", voice="a"), made_by="x") != prompt_name(Say("ab", voice=""), made_by="x")
    assert prompt_name(Play("bc"), made_by="a") != prompt_name(Play("c"), made_by="ab")


@given(st.text(), st.text(), st.text(), st.text())
def test_every_prompt_has_a_safe_name(text: str, voice: str, language: str, made_by: str) -> None:
    for prompt in (Say(text, voice=voice, language=language), Play(text)):
        name = prompt_name(prompt, made_by=made_by)
        assert is_safe_name(name)
        assert len(name) <= 73


def test_half_a_character_can_be_named() -> None:
    assert is_safe_name(prompt_name(Say("\ud800"), made_by="x"))


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "-rf", "a/b", "../a", "a\\b", "a b", "a\n", "a\0", "ä.wav", "a" * 129, "a%2fb", "a;b"],
)
def test_unsafe_names_are_refused(name: str) -> None:
    assert not is_safe_name(name)
    with pytest.raises(BadInput):
        safe_name(name)


def test_a_recording_is_named_by_its_id() -> None:
    assert recording_name("rec_01J00000000000000000000000") == "rec_01J00000000000000000000000.wav"
    with pytest.raises(BadInput):
        recording_name("../../etc/passwd")
