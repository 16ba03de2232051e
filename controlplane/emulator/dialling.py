"""Dial strings, read as switch_ivr_originate reads them: `{of all}[of one]endpoint,[…]endpoint|[…]endpoint`.

A comma dials at once, a bar dials in turn. Variables may be quoted with single quotes, and another separator than the
comma may be named with `^^`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PAIRS = {"{": "}", "[": "]", "<": ">"}


@dataclass(frozen=True, slots=True)
class DialledTarget:
    """One endpoint and the variables of its leg alone."""

    endpoint: str
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DialPlan:
    """Who is dialled: `turns` one after another, the targets of a turn at once."""

    variables: Mapping[str, str]
    turns: tuple[tuple[DialledTarget, ...], ...]


def parse_dial_string(text: str) -> DialPlan:
    """Read a dial string. Whatever is malformed is left in the endpoint's name, which then cannot be dialled."""
    variables, rest = _take_variables(text.strip(), "{")
    turns = (_split(turn, ",") for turn in _split(rest, "|"))
    return DialPlan(variables, tuple(tuple(_target(one) for one in turn) for turn in turns))


def _target(text: str) -> DialledTarget:
    variables, endpoint = _take_variables(text.strip(), "[")
    return DialledTarget(endpoint.strip(), variables)


def _take_variables(text: str, bracket: str) -> tuple[dict[str, str], str]:
    values: dict[str, str] = {}
    while text.startswith(bracket):
        end = _end_of(text, bracket)
        if end < 0:
            break
        values |= parse_variables(text[1:end])
        text = text[end + 1 :].lstrip()
    return values, text


def parse_variables(text: str) -> dict[str, str]:
    """`a=1,b='two words'`, or `^^;a=1;b=2`."""
    separator = ","
    if text.startswith("^^") and len(text) > 2:
        separator, text = text[2], text[3:]
    pairs = (pair.partition("=") for pair in _split(text, separator))
    return {name.strip(): _unquoted(value) for name, _, value in pairs if name.strip()}


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == "'" else value


def _end_of(text: str, bracket: str) -> int:
    depth, is_quoted = 0, False
    for place, letter in enumerate(text):
        if letter == "'":
            is_quoted = not is_quoted
        elif not is_quoted and letter == bracket:
            depth += 1
        elif not is_quoted and letter == _PAIRS[bracket]:
            depth -= 1
            if depth == 0:
                return place
    return -1


def _split(text: str, separator: str) -> list[str]:
    """Split where the separator stands outside brackets and quotes."""
    parts, depth, is_quoted, start = [], 0, False, 0
    for place, letter in enumerate(text):
        if letter == "'":
            is_quoted = not is_quoted
        elif not is_quoted and letter in "{[":
            depth += 1
        elif not is_quoted and letter in "}]":
            depth -= 1
        elif letter == separator and depth == 0 and not is_quoted:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def address_of(endpoint: str) -> tuple[str, list[str]] | str:
    """What an endpoint dials: its name on the wire, and under which names a script may know the party.

    `sofia/<profile>/<user>@<host>`, `sofia/gateway/<gateway>/<number>`. For anything else, the cause that dialling it
    gives (`error/<cause>` is FreeSWITCH's own way to ask for one).
    """
    kind, _, rest = endpoint.partition("/")
    if kind == "error":
        return rest
    profile, _, target = rest.partition("/")
    if kind != "sofia" or not target:
        return "CHAN_NOT_IMPLEMENTED"
    if profile == "gateway":
        gateway, _, number = target.partition("/")
        return (number, [number, f"gateway:{gateway}/{number}"]) if number else "INVALID_GATEWAY"
    wire = target.removeprefix("sip:").removeprefix("sips:").partition(";")[0]
    user, at, host = wire.rpartition("@")
    if not at:
        return wire, [wire, f"sip:{wire}"]
    return user, [f"sip:{wire}", f"sip:{user}@{host.partition(':')[0]}", user]
