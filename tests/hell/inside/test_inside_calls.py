"""URLs that point inside, in every place of calls that whole processes drive: none reaches anything."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hell.inside.places import PLACES
from tests.hell.inside.world import run_there, why_not


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: PostgreSQL runs as somebody else, who must be able to walk there."""
    if why_not() is not None:
        pytest.skip(str(why_not()))
    with tempfile.TemporaryDirectory(prefix="callplane-inside-") as name:
        yield Path(name)


def told(folder: Path, way: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run_there(folder, "tests.hell.inside", str(folder), way, timeout_s=280))
    return answer


@pytest.mark.timeout(300)
def test_no_url_that_points_inside_reaches_a_canary_from_any_place(folder: Path) -> None:
    seen = told(folder, "some")

    assert (seen["hits"], seen["failed"]) == ([], 0)
    # FreeSWITCH looks SIP names up itself: that wall is its node's (switch/dialling.py).
    assert [uri for uri in seen["dialled"] if ".test" not in uri] == []
    assert seen["placed"] + seen["refused"] == seen["cases"] > 100
    assert seen["asked outside"] > 50


@pytest.mark.timeout(300)
def test_the_canary_is_reached_from_every_place_where_the_operator_opens_it(folder: Path) -> None:
    seen = told(folder, "open")

    reached = " ".join(seen["hits"])
    places = {name for name in PLACES if name.replace(" ", "-") in reached}
    assert places == set(PLACES) - {"Sip", "to_number"}
    assert len(seen["dialled"]) >= 2


def test_a_client_that_guards_nothing_reaches_the_canary_by_most_of_these_forms(folder: Path) -> None:
    assert len(told(folder, "naive")["reaching"]) > 55
