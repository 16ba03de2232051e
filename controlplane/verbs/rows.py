"""The rows that tables of verbs are made of, shared by all dialects.

A Row is one value of a verb: its TwiML attribute, its JSON key, the kind of value, the reference's number for a bad one
and what is done about that. A Spec is a verb: its rows, what may stand inside it, and the function that builds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from enum import Enum
from typing import Any, TypeAlias

from controlplane.verbs.documents import Target, Verb
from controlplane.verbs.kinds import Kind, words
from controlplane.verbs.reading import Outcome, Reader
from controlplane.verbs.urls import Url
from controlplane.verbs.usual import usual_texts

# Checked values by JSON key, those of an object there in a dict of their own; each kind says what they are.
Values: TypeAlias = dict[str, Any]
Built: TypeAlias = Verb | Target
Build: TypeAlias = Callable[[Values, Reader], Built]

METHOD = words("GET", "POST")
BAD_URL = 11100
NOT_ABSOLUTE = 15004


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a verb.

    `field` is the JSON key, with a dot where the value is a member of an object there, and the name builders know it
    by; "" for what JSON does not have. `twiml` is the attribute, "" for the element's text, None for what TwiML does
    not have. `usual` are texts of which it is known what the kind reads in them. `no_base` is the number for a relative
    URL in a document without a URL, 0 for what is no URL. A row whose `has_effect` is false is checked and then passed
    over with a warning.
    """

    field: str
    twiml: str | None
    kind: Kind
    code: int
    outcome: Outcome = Outcome.DEFAULT
    no_base: int = 0
    has_effect: bool = True
    group: str = made(init=False)
    member: str = made(init=False)
    usual: Mapping[str, Any] = made(init=False, repr=False)

    def __post_init__(self) -> None:
        group, dot, member = self.field.partition(".")
        object.__setattr__(self, "group", group if dot else "")
        object.__setattr__(self, "member", member if dot else group)
        object.__setattr__(self, "usual", usual_texts(self.kind))


class Body(Enum):
    """What stands between the tags of a verb, besides children."""

    NOTHING = "nothing"
    TEXT = "text"
    SPEECH = "text and SSML"
    ADDRESS = "a SIP address, or Uri and Headers"


@dataclass(frozen=True, slots=True)
class Children:
    """Verbs or targets inside a verb: the JSON key of their list, and the number for what may not be there.

    `text` is what plain text in their place stands for in TwiML, and a string in JSON.
    """

    field: str
    specs: Table
    code: int
    text: Spec | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """A verb or target in all dialects: `tag` in TwiML, `key` in JSON."""

    tag: str
    key: str
    build: Build
    rows: tuple[Row, ...] = ()
    body: Body = Body.NOTHING
    children: Children | None = None
    by_attribute: Mapping[str, Row] = made(init=False)
    without_effect: Mapping[str, Row] = made(init=False)
    by_field: Mapping[str, Row] = made(init=False)
    groups: Mapping[str, Mapping[str, Row]] = made(init=False)
    text: Row | None = made(init=False)

    def __post_init__(self) -> None:
        attributes = [row for row in self.rows if row.twiml]
        object.__setattr__(self, "by_attribute", {row.twiml: row for row in attributes if row.has_effect})
        object.__setattr__(self, "without_effect", {row.twiml: row for row in attributes if not row.has_effect})
        object.__setattr__(self, "by_field", {row.field: row for row in self.rows if row.field})
        object.__setattr__(self, "groups", self._groups())
        object.__setattr__(self, "text", next((row for row in self.rows if row.twiml == ""), None))

    def _groups(self) -> dict[str, dict[str, Row]]:
        """Rows that are members of one JSON object, by its key and theirs."""
        groups: dict[str, dict[str, Row]] = {}
        for row in self.rows:
            if row.group:
                groups.setdefault(row.group, {})[row.member] = row
        return groups


@dataclass(frozen=True, slots=True)
class Table:
    """Verbs or targets by their names in each dialect; `later` are TwiML names that a later release brings."""

    by_tag: Mapping[str, Spec]
    by_key: Mapping[str, Spec]
    later: frozenset[str]


def table(specs: Iterable[Spec], later: Iterable[str] = ()) -> Table:
    """Put specs into a table."""
    kept = tuple(specs)
    return Table({spec.tag: spec for spec in kept}, {spec.key: spec for spec in kept}, frozenset(later))


def link(name: str, url: str, method: str, code: int, *, no_base: int = NOT_ABSOLUTE) -> tuple[Row, Row]:
    """A URL that decides how the call goes on, and its method: a bad URL refuses the document."""
    return (
        Row(f"{name}.url", url, Url(), BAD_URL, Outcome.FAULT, no_base=no_base),
        Row(f"{name}.method", method, METHOD, code),
    )


def callback(name: str, prefix: str, events: Kind, *, url: int, method: int, event: int) -> tuple[Row, Row, Row]:
    """A URL that is only told things, its method and events: a bad URL is passed over with a warning."""
    return (
        Row(f"{name}.url", prefix, Url(), url, no_base=NOT_ABSOLUTE),
        Row(f"{name}.method", f"{prefix}Method", METHOD, method),
        Row(f"{name}.events", f"{prefix}Event", events, event),
    )


def without_effect(twiml: str, kind: Kind, code: int) -> Row:
    """An attribute that is checked and has no effect yet."""
    return Row("", twiml, kind, code, has_effect=False)
