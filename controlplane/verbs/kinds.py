"""Kinds of values: what an attribute or key may hold, the same for every dialect.

A kind reads the text of an attribute and the value of a JSON key, writes both, and describes itself as JSON Schema.
Reading raises Unfit, whose text says what the value should have been. Text is read the forgiving way that TwiML is
(blanks around it, letters of either case for words); JSON is read strictly, types included.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

Json: TypeAlias = Any  # what json.loads makes: checked by the kind that reads it
Schema: TypeAlias = dict[str, Any]

# What XML 1.0 can hold (§2.2 Char): every dialect is held to it, so that a document can be written in each.
_TEXT = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*\\Z")

_JSON_TYPES: Mapping[type, str] = {
    bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object",
    tuple: "an object",  # its pairs
}  # fmt: skip

_USUAL_NUMBERS = {str(number): number for number in range(1001)}


class Unfit(ValueError):
    """A value that its kind does not hold; the text says what it should have been."""


class Kind(Protocol):
    """What a value may be."""

    def from_text(self, text: str) -> Any: ...
    def from_json(self, value: Json) -> Any: ...
    def to_text(self, value: Any) -> str: ...
    def to_json(self, value: Any) -> Json: ...
    def schema(self) -> Schema: ...


def shown(value: object) -> str:
    """A value as a fault may show it: one line, at most 40 characters, nothing that a terminal would act on."""
    text = value if isinstance(value, str) else repr(value)
    return ascii(text if len(text) <= 40 else text[:39] + "…")


def json_type(value: Json) -> str:
    """What JSON calls the type of a value."""
    return _JSON_TYPES.get(type(value), "null")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`; `zero`, where given, is what 0 stands for."""

    low: int
    high: int
    zero: int | None = None

    def from_text(self, text: str) -> int:
        number = _USUAL_NUMBERS.get(text)
        if number is not None and self.low <= number <= self.high:
            return number
        digits = text.strip()
        if not (digits.isdigit() and digits.isascii() and len(digits) < 10):
            raise Unfit(f"must be {self._range()}, not {shown(text)}")
        return self._fit(int(digits))

    def from_json(self, value: Json) -> int:
        if type(value) is not int:
            raise Unfit(f"must be {self._range()}, not {json_type(value)}")
        return self._fit(value)

    def to_text(self, value: int) -> str:
        return str(value)

    def to_json(self, value: int) -> Json:
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": 0 if self.zero is not None else self.low, "maximum": self.high}

    def _fit(self, number: int) -> int:
        if self.low <= number <= self.high:
            return number
        if number == 0 and self.zero is not None:
            return self.zero
        raise Unfit(f"must be {self._range()}, not {shown(number)}")

    def _range(self) -> str:
        return f"a whole number from {0 if self.zero is not None else self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Words:
    """One of some words, each standing for a value: text reads `read`, JSON and writing know those of `written`."""

    read: Mapping[str, Any]
    written: Mapping[Any, str]

    def from_text(self, text: str) -> Any:
        try:
            return self.read[text]
        except KeyError:
            word = text.strip().lower()
        if word not in self.read:
            raise Unfit(f"must be {self._choice()}, not {shown(text)}")
        return self.read[word]

    def from_json(self, value: Json) -> Any:
        if not isinstance(value, str):
            raise Unfit(f"must be {self._choice()}, not {json_type(value)}")
        if value not in self.written.values():
            raise Unfit(f"must be {self._choice()}, not {shown(value)}")
        return self.read[value]

    def to_text(self, value: Any) -> str:
        return self.written[value]

    def to_json(self, value: Any) -> Json:
        return self.written[value]

    def schema(self) -> Schema:
        return {"enum": list(self.written.values())}

    def _choice(self) -> str:
        words = [word or '""' for word in self.written.values()]
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def words(*choices: str, **also: Any) -> Words:
    """Words that stand for themselves; `also` gives others that text may use for one of them."""
    itself = {choice: choice for choice in choices}
    return Words({choice.lower(): choice for choice in choices} | itself | also, itself)


def words_of(enum: type[StrEnum], **also: StrEnum) -> Words:
    """The words of an enumeration."""
    return Words({member.value.lower(): member for member in enum} | also, {member: member.value for member in enum})


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no: true and false, or other words in text; always a boolean in JSON."""

    yes: str = "true"
    no: str = "false"

    def from_text(self, text: str) -> bool:
        word = text.strip().lower()
        if word == self.yes:
            return True
        if word == self.no:
            return False
        raise Unfit(f"must be {self.yes} or {self.no}, not {shown(text)}")

    def from_json(self, value: Json) -> bool:
        if not isinstance(value, bool):
            raise Unfit(f"must be true or false, not {json_type(value)}")
        return value

    def to_text(self, value: bool) -> str:  # noqa: FBT001 - a kind writes the values it reads
        return self.yes if value else self.no

    def to_json(self, value: bool) -> Json:  # noqa: FBT001
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Several:
    """Some of the words, at least one: with blanks or commas between in text, a list in JSON."""

    of: Words

    def from_text(self, text: str) -> frozenset[Any]:
        return self._fit(self.of.from_text(word) for word in text.replace(",", " ").split())

    def from_json(self, value: Json) -> frozenset[Any]:
        if not isinstance(value, list):
            raise Unfit(f"must be a list, not {json_type(value)}")
        return self._fit(self.of.from_json(word) for word in value)

    def to_text(self, value: frozenset[Any]) -> str:
        return " ".join(self.to_json(value))

    def to_json(self, value: frozenset[Any]) -> list[str]:
        return [word for member, word in self.of.written.items() if member in value]

    def schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema(), "minItems": 1, "uniqueItems": True}

    def _fit(self, members: Iterable[Any]) -> frozenset[Any]:
        chosen = frozenset(members)
        if not chosen:
            raise Unfit("must name at least one")
        return chosen


@dataclass(frozen=True, slots=True)
class Text:
    """Text of a shape, blanks around it dropped; `what` says in words what it should be."""

    what: str = "text"
    shape: re.Pattern[str] | None = None
    is_secret: bool = False

    def from_text(self, text: str) -> str:
        text = text.strip()
        if self.shape is not None and not self.shape.match(text):
            raise Unfit(f"must be {self.what}" + ("" if self.is_secret else f", not {shown(text)}"))
        return text

    def from_json(self, value: Json) -> str:
        return self.from_text(plain_string(value, self.what))

    def to_text(self, value: str) -> str:
        return value

    def to_json(self, value: str) -> Json:
        return value

    def schema(self) -> Schema:
        if self.shape is None:
            return {"type": "string"}
        return {"type": "string", "pattern": f"^(?:{self.shape.pattern.removesuffix(chr(92) + 'Z')})$"}


@dataclass(frozen=True, slots=True)
class Checked:
    """Text that a function reads, which raises Unfit."""

    read: Callable[[str], str]
    what: str

    def from_text(self, text: str) -> str:
        return self.read(text)

    def from_json(self, value: Json) -> str:
        return self.read(plain_string(value, self.what))

    def to_text(self, value: str) -> str:
        return value

    def to_json(self, value: str) -> Json:
        return value

    def schema(self) -> Schema:
        return {"type": "string"}


def plain_string(value: Json, what: str = "text") -> str:
    """A JSON string of characters that every dialect can hold; raises Unfit."""
    if not isinstance(value, str):
        raise Unfit(f"must be {what}, not {json_type(value)}")
    if not value.isprintable() and not _TEXT.match(value):  # what is printable can be held: found out faster
        raise Unfit("has a control character or half a surrogate pair")
    return value
