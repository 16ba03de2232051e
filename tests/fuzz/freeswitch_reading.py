"""How FreeSWITCH takes the argument of `originate` and `bridge` apart: a model, to hold dial strings against.

Written from what switch_separate_string, switch_event_create_brackets and switch_ivr_originate were seen to do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadLeg:
    """One party as FreeSWITCH understood it."""

    endpoint: str
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ReadDial:
    """A dial string as FreeSWITCH understood it: groups tried in turn, each of legs rung at once."""

    variables: tuple[tuple[str, str], ...]
    groups: tuple[tuple[ReadLeg, ...], ...]


def words(text: str) -> list[str]:
    """What `originate` makes of its argument: cut at blanks outside single quotes; the quotes are gone then."""
    return [_cleaned(word) for word in _cut(text, " ") if word]


def read_dial(text: str) -> ReadDial:
    """What is dialled."""
    assert ":_:" not in text
    everyone: list[tuple[str, str]] = []
    while text.startswith("{"):
        inner, text = _bracketed(text, "{", "}")
        everyone += _variables(inner)
    groups = tuple(tuple(_leg(leg) for leg in _legs(group)) for group in _cut(text, "|"))
    return ReadDial(tuple(everyone), groups)


def _leg(text: str) -> ReadLeg:
    variables: list[tuple[str, str]] = []
    while text.startswith("["):
        inner, text = _bracketed(text, "[", "]")
        variables += _variables(inner)
    return ReadLeg(_cleaned(text), tuple(variables))


def _legs(group: str) -> list[str]:
    """Commas inside of brackets do not end a leg."""
    legs, depth = [""], 0
    for letter in group:
        depth += (letter == "[") - (letter == "]")
        if letter == "," and depth == 0:
            legs.append("")
        else:
            legs[-1] += letter
    return legs


def _variables(inner: str) -> list[tuple[str, str]]:
    delimiter = ","
    if inner.startswith("^^"):
        delimiter, inner = inner[2], inner[3:]
    pairs = (_cleaned(item).partition("=") for item in _cut(inner, delimiter))
    return [(name, _cleaned(value)) for name, equals, value in pairs if equals]


def _bracketed(text: str, opening: str, closing: str) -> tuple[str, str]:
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == opening) - (letter == closing)
        if depth == 0:
            return text[1:place], text[place + 1 :]
    raise AssertionError("a bracket is not closed")


def _cut(text: str, delimiter: str) -> list[str]:
    parts, is_quoted = [""], False
    for place, letter in enumerate(text):
        if letter == "'" and (is_quoted or "'" in text[place + 1 :]):
            is_quoted = not is_quoted
        if letter == delimiter and not is_quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _cleaned(text: str) -> str:
    assert "\\" not in text
    return text.strip(" ").replace("'", "")
