"""Text as engines can bear it."""

from __future__ import annotations

import re

# Engines keep words in arrays: 140 characters of "s's's's…" overflow one of espeak-ng 1.51, which ends the process
# (github.com/espeak-ng/espeak-ng/pull/2495). No word of a language that writes spaces is as long as this.
_MOST_LETTERS = 40
_STOPS = ".,;:!?。，、！？；："
_LONG_WORD = re.compile(rf"[^\s{_STOPS}]{{{_MOST_LETTERS}}}")
_TAG_OR_LONG_WORD = re.compile(rf"(<[^>]*>)|((?:&\w+;|[^\s<&{_STOPS}]){{{_MOST_LETTERS}}})")
# No XML characters, or ones that engines take for commands (espeak-ng reads U+0001 as the start of one).
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def without_controls(text: str) -> str:
    """Put spaces for characters that are no text."""
    return _CONTROL.sub(" ", text)


def break_words(text: str) -> str:
    """Put a space into every word of plain text that is longer than 40 letters."""
    return _LONG_WORD.sub(r"\g<0> ", text)


def break_words_between_tags(markup: str) -> str:
    """The same for markup whose every `<` begins a tag: tags and entities stay whole."""
    return _TAG_OR_LONG_WORD.sub(lambda found: found[1] or f"{found[2]} ", markup)
