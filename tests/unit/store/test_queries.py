from __future__ import annotations

import re
from pathlib import Path

import pytest

import controlplane
from controlplane.store.queries import BadQuery, Query, backwards, parse_queries, query

PACKAGE = Path(controlplane.__file__).parent
QUERIES = {
    name: found
    for file in sorted((PACKAGE / "store" / "sql").glob("*.sql"))
    for name, found in parse_queries(file.read_text()).items()
}


def test_queries_are_read_with_their_purpose_and_values() -> None:
    source = "-- one: Says one.\nSELECT %(a)s, 1 % 2\n-- two: Says two.\n-- a comment\nSELECT 2\n".replace(
        "% 2", "%% 2"
    )
    assert parse_queries(source) == {
        "one": Query("one", "Says one.", b"SELECT %(a)s, 1 %% 2", frozenset({"a"})),
        "two": Query("two", "Says two.", b"-- a comment\nSELECT 2", frozenset()),
    }


@pytest.mark.parametrize(
    "source", ["-- one: Nothing.\n", "-- one: A.\nSELECT 1\n-- one: B.\nSELECT 2", "-- one: A.\nSELECT %s"]
)
def test_a_query_that_is_empty_twice_there_or_has_unnamed_values_is_refused(source: str) -> None:
    with pytest.raises(BadQuery):
        parse_queries(source)


def test_a_query_that_is_not_there_is_found_missing() -> None:
    with pytest.raises(BadQuery):
        query("no_such_query")


def test_every_query_is_used_somewhere() -> None:
    code = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    assert [name for name in QUERIES if f'"{name}"' not in code] == []


def test_no_query_takes_all_columns() -> None:
    assert [name for name, found in QUERIES.items() if re.search(rb"SELECT\s+\*|\.\*", found.text)] == []


def test_every_list_can_be_read_from_its_other_end() -> None:
    lists = [found for found in QUERIES.values() if "newest" in found.values]
    assert len(lists) >= 7
    assert [found.name for found in lists if b" ASC" not in backwards(found).text] == []
