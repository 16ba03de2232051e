"""Digests of rendered files."""

from __future__ import annotations

from hashlib import sha256

from controlplane.render import RenderedFile, digest_of


def test_a_files_digest_is_that_of_its_bytes_on_disk() -> None:
    assert RenderedFile("a", "grüß\n").digest == sha256("grüß\n".encode()).hexdigest()


def test_a_sets_digest_does_not_depend_on_the_order() -> None:
    one, two = RenderedFile("a", "1"), RenderedFile("b", "2")
    assert digest_of([one, two]) == digest_of([two, one])


def test_a_sets_digest_changes_with_a_path_or_a_text() -> None:
    digests = {digest_of([RenderedFile(path, text)]) for path in ("a", "b") for text in ("1", "2")}
    assert len(digests) == 4


def test_a_files_text_is_not_in_its_repr() -> None:
    assert "hidden" not in repr(RenderedFile("a", "hidden", is_secret=True))
