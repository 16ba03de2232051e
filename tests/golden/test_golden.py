"""Rendered trees held against the ones in this folder, which only `make golden` changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.cases import golden_trees

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", golden_trees())
def test_tree_is_the_golden_one(name: str) -> None:
    rendered = {file.path: file.content for file in golden_trees()[name]}
    folder = HERE / name
    kept = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    assert rendered == kept
