"""Lines out of bytes, however the bytes were cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from controlplane.cli.lines import LONGEST_LINE_BYTES, LineCutter


@given(st.binary(max_size=200), st.lists(st.integers(0, 200)))
def test_the_slicing_does_not_matter(data: bytes, cuts: list[int]) -> None:
    whole, sliced = LineCutter(), LineCutter()
    edges = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    lines = [line for start, end in pairwise(edges) for line in sliced.feed(data[start:end])]
    assert lines + sliced.rest() == whole.feed(data) + whole.rest()


def test_line_ends_are_dropped_and_broken_text_is_replaced() -> None:
    assert LineCutter().feed(b"one\r\ntw\xffo\n\nrest") == ["one", "tw\ufffdo", ""]


def test_a_line_without_end_is_handed_out_in_pieces() -> None:
    cutter = LineCutter()
    assert [len(line) for line in cutter.feed(b"x" * (2 * LONGEST_LINE_BYTES + 5))] == [LONGEST_LINE_BYTES] * 2
    assert cutter.rest() == ["xxxxx"]
