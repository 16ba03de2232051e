"""Kinds made of others: a number or a word in its place, a checked value kept as its text."""

from __future__ import annotations

from dataclasses import dataclass

from controlplane.verbs.kinds import Json, Kind, Schema, Whole


@dataclass(frozen=True, slots=True)
class OrAuto:
    """A whole number, or the word auto (None)."""

    whole: Whole

    def from_text(self, text: str) -> int | None:
        return None if text.strip() == "auto" else self.whole.from_text(text)

    def from_json(self, value: Json) -> int | None:
        return None if value == "auto" else self.whole.from_json(value)

    def to_text(self, value: int | None) -> str:
        return "auto" if value is None else self.whole.to_text(value)

    def to_json(self, value: int | None) -> Json:
        return "auto" if value is None else value

    def schema(self) -> Schema:
        return {"anyOf": [self.whole.schema(), {"const": "auto"}]}


@dataclass(frozen=True, slots=True)
class Kept:
    """A checked value that is kept as its text."""

    kind: Kind

    def from_text(self, text: str) -> str:
        return self.kind.to_text(self.kind.from_text(text))

    def from_json(self, value: Json) -> str:
        return self.kind.to_text(self.kind.from_json(value))

    def to_text(self, value: str) -> str:
        return value

    def to_json(self, value: str) -> Json:
        return self.kind.to_json(self.kind.from_text(value))

    def schema(self) -> Schema:
        return self.kind.schema()
