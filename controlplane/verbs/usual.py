"""What attributes usually hold, read once: a table from their text to their value for each row that has one.

Reading a document looks here before it asks the kind, which decides all else. A table holds what the kind says about
the text and nothing besides, and nothing is added to it while documents are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from controlplane.verbs.kinds import Kind, Several, Switch, Text, Unfit, Whole, Words

_NUMBERS = tuple(map(str, range(121)))
_VOICES = ("man", "woman", "alice")
_LANGUAGES = ("en-US", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT", "pt-BR")
_KEYS = ("#", "*", "")


def usual_texts(kind: Kind) -> Mapping[str, Any]:
    """The texts that are usual for a kind, each with what the kind reads in it; empty where nothing is."""
    known: dict[str, Any] = {}
    for text in _candidates(kind):
        try:
            known[text] = kind.from_text(text)
        except Unfit:
            continue
    return known


def _candidates(kind: Kind) -> Iterable[str]:
    match kind:
        case Whole():
            return _NUMBERS
        case Words(read=read):
            return read
        case Several(of=words):
            return words.read
        case Switch(yes=yes, no=no):
            return (yes, no)
        case Text(shape=shape, is_secret=False) if shape is not None:
            return (*_VOICES, *_LANGUAGES, *_KEYS)
        case _:
            return ()
