"""Bad documents, one a file in bad/, and beside each what its tenant is told: the fault, or the first warnings."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document

BAD = Path(__file__).parent / "bad"
TYPES = {".xml": "text/xml", ".json": "application/json"}
FILES = sorted(path for path in BAD.iterdir() if path.suffix in TYPES)
MOST_BYTES = 10_000_000


def told(path: Path) -> str:
    """One line for a fault, one for each of the first three warnings otherwise."""
    try:
        document = parse_document(path.read_bytes(), TYPES[path.suffix], source_url="https://app.example/voice")
    except DocumentError as error:
        return f"{error}\n"
    return "".join(
        f"warning: {warning.path}, line {warning.line}: {warning.problem} (code={warning.code})\n"
        for warning in document.warnings[:3]
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_bad_document_is_told_clearly(path: Path) -> None:
    assert told(path) == path.with_name(f"{path.name}.told").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_bad_document_costs_little_memory(path: Path) -> None:
    body = path.read_bytes()
    tracemalloc.start()
    try:
        told(path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak_bytes < MOST_BYTES, f"{len(body)} bytes took {peak_bytes}"
