"""Arrays of values as they are written and as PostgreSQL reads them."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from controlplane.store.edge import columns_of

TEXTS = some.text(some.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)


class Word(StrEnum):
    A = "a b"


def read(url: str, kind: str, array: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"SELECT %s::{kind}[]", [array]).fetchone()
    assert row is not None
    return row[0]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=some.lists(some.none() | TEXTS, min_size=1, max_size=20))
def test_texts_are_read_as_they_were(url: str, texts: list[str | None]) -> None:
    array = columns_of([{"text": text} for text in texts])["text"]
    assert read(url, "text", array) == texts


@pytest.mark.parametrize(
    "text", ["", "NULL", "null", '"', "\\", '\\"', "{}", "a,b", " x ", "\n", "\\x00", "'", "%(x)s"]
)
def test_what_means_something_in_an_array_is_text_inside_one(url: str, text: str) -> None:
    assert read(url, "text", columns_of([{"text": text}, {"text": None}])["text"]) == [text, None]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [-(2**63), 0, None, 2**63 - 1]),
        ("boolean", [True, False, None]),
        ("bytea", [b"", b"\0\xff\\x", None]),
        ("uuid", [UUID(int=1), None]),
        ("text", [Word.A, None]),
    ],
)
def test_values_of_every_kind_are_read_as_they_were(url: str, kind: str, values: list[object]) -> None:
    assert read(url, kind, columns_of([{"x": value} for value in values])["x"]) == values


def test_ids_are_written_as_uuids_under_the_name_of_many(url: str) -> None:
    columns = columns_of([{"call_id": "cs_00000000000000000000000001"}])
    assert list(columns) == ["call_ids"]
    assert read(url, "uuid", columns["call_ids"]) == [UUID(int=1)]
