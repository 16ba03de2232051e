"""Named SQL: `sql/*.sql`, read once when this module is imported.

A file holds the queries about one noun. Each begins with a line `-- name: what it is for` and goes on to the next
such line; values are named (`%(name)s`) and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from importlib.resources import files

_HEAD = re.compile(r"^-- (?P<name>[a-z][a-z_]+): (?P<purpose>.+)$", re.MULTILINE)
_VALUE = re.compile(r"%\((?P<name>[a-z_]+)\)s")
_STRAY = re.compile(r"%(?!\([a-z_]+\)s)")


class BadQuery(Exception):
    """A query is written wrong, named twice, or not there: a mistake of ours, found at import."""


@dataclass(frozen=True, slots=True)
class Query:
    """One named query; `values` are the names it wants."""

    name: str
    purpose: str
    text: bytes
    values: frozenset[str]


def parse_queries(source: str) -> dict[str, Query]:
    """Read the queries of one file; raises BadQuery."""
    heads = list(_HEAD.finditer(source))
    found: dict[str, Query] = {}
    ends = [head.start() for head in heads[1:]] + [len(source)]
    for head, end in zip(heads, ends, strict=False):
        text = source[head.end() : end].strip()
        name = head["name"]
        if not text or name in found or _STRAY.search(text.replace("%%", "")):
            raise BadQuery(name)
        values = frozenset(match["name"] for match in _VALUE.finditer(text))
        found[name] = Query(name, head["purpose"], text.encode(), values)
    return found


def query(name: str) -> Query:
    """The query of this name; raises BadQuery. Called at import, so that a missing one is found before it is needed."""
    try:
        return _QUERIES[name]
    except KeyError:
        raise BadQuery(name) from None


def backwards(forwards: Query) -> Query:
    """The same list from its other end: for the page before a cursor."""
    return replace(forwards, name=f"{forwards.name} backwards", text=forwards.text.replace(b" DESC", b" ASC"))


def _load() -> dict[str, Query]:
    loaded: dict[str, Query] = {}
    for file in sorted(files(__package__).joinpath("sql").iterdir(), key=lambda entry: entry.name):
        for name, found in parse_queries(file.read_text("utf-8")).items():
            if name in loaded:
                raise BadQuery(name)
            loaded[name] = found
    return loaded


_QUERIES = _load()
