"""What is looked up is what the kind reads."""

from __future__ import annotations

import pytest

from controlplane.verbs.rows import Row
from controlplane.verbs.specs import SPECS

ROWS = [(spec.tag, row) for spec in SPECS.values() for row in spec.rows]


@pytest.mark.parametrize(("tag", "row"), ROWS, ids=[f"{tag}-{row.field or row.twiml}" for tag, row in ROWS])
def test_usual_texts_stand_for_what_their_kind_reads(tag: str, row: Row) -> None:
    assert row.usual == {text: row.kind.from_text(text) for text in row.usual}


def test_values_that_are_secret_or_differ_from_call_to_call_are_not_usual() -> None:
    rows = SPECS["Sip"].by_field

    assert rows["password"].usual == rows["uri"].usual == rows["screening.url"].usual == {}
