"""Text as engines can bear it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.speech.words import break_words, without_controls


def test_words_up_to_forty_letters_stay_whole() -> None:
    assert break_words(f"{'a' * 39} {'b' * 20}.{'c' * 39}") == f"{'a' * 39} {'b' * 20}.{'c' * 39}"


def test_a_word_behind_a_smaller_than_sign_is_broken_in_plain_text() -> None:
    assert break_words("<" + "s'" * 30) == "<" + "s'" * 19 + "s '" + "s'" * 10


@given(st.text())
def test_only_spaces_are_added(text: str) -> None:
    assert break_words(text).replace(" ", "") == text.replace(" ", "")


@given(st.text(alphabet=st.characters()))
def test_controls_and_halves_of_characters_do_not_pass(text: str) -> None:
    cleaned = without_controls(text)

    assert len(cleaned) == len(text)
    assert not any(c < " " and c not in "\t\n" for c in cleaned.replace("\r", "\n"))
    cleaned.encode()
