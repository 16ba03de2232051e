from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.api.ranges import RangeNotMet, maybe_part, part_of


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-", (0, 100)),
        ("bytes=99-", (99, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=10-1000", (10, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-1000", (0, 100)),
        ("bytes = 1 - 2", (1, 3)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,3-4", None),
        ("bytes=a-b", None),
        ("bytes=٣-", None),
        ("bytes=0-" + "9" * 5000, None),
    ],
)
def test_a_range_names_a_part_of_a_hundred_bytes(header: str, part: tuple[int, int] | None) -> None:
    assert maybe_part(header, 100) == part


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_is_not_met(header: str) -> None:
    with pytest.raises(RangeNotMet):
        maybe_part(header, 100)


@given(st.binary(max_size=60), st.data())
def test_a_part_of_a_stream_is_that_part_of_its_bytes(content: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)))
    step = data.draw(st.integers(1, 10))

    async def stream() -> AsyncIterator[bytes]:
        for at in range(0, len(content), step):
            yield content[at : at + step]

    async def gathered() -> list[bytes]:
        return [piece async for piece in part_of(stream(), start, end)]

    pieces = asyncio.run(gathered())
    assert b"".join(pieces) == content[start:end]
    assert b"" not in pieces
