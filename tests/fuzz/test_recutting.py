"""Recorded streams in other pieces, with lengths that lie, and headers that never end."""

from __future__ import annotations

import re
import tracemalloc

import pytest

from controlplane.esl.connection import ClientConnection, SwitchConnection
from controlplane.esl.errors import RemoteEslError
from tests.fuzz.recutting import cut_everywhere, one_of_each
from tests.fuzz.test_esl_codec import outcome, readable, sliced

MEGABYTE = 1024 * 1024


def test_frames_are_the_same_wherever_they_are_cut() -> None:
    assert cut_everywhere(one_of_each()) > 10_000


@pytest.mark.parametrize("lie", [b"0", b"1", b"-1", b"+7", b"7 7", b"0x10", b"1e3", b"", b"4194305", b"9" * 30])
def test_a_length_that_lies_gives_frames_or_ends_the_connection(lie: bytes) -> None:
    [stream] = [stream for stream in one_of_each() if stream.is_from_switch]
    for raw in stream.frames:
        lying = re.sub(rb"(?m)^Content-Length: \d+$", b"Content-Length: " + lie, raw, count=1) + stream.frames[0]
        whole = outcome(ClientConnection(), [lying])

        assert outcome(ClientConnection(), sliced(lying, [3, 50, 700])) == whole
        for frame in whole[0]:
            readable(frame)


@pytest.mark.parametrize("line", [b"x", b"A: b\n", b"Content-Length: 3\n"])
@pytest.mark.parametrize("role", [ClientConnection, SwitchConnection])
def test_a_header_of_a_hundred_megabytes_is_refused_before_it_is_there(
    role: type[ClientConnection | SwitchConnection], line: bytes
) -> None:
    tracemalloc.start()
    try:
        fed_bytes = fed_before_it_is_refused(role(), line * (64 * 1024 // len(line)))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert fed_bytes <= MEGABYTE
    assert peak_bytes < 4 * MEGABYTE


def fed_before_it_is_refused(connection: ClientConnection | SwitchConnection, piece: bytes) -> int:
    for number in range(100 * MEGABYTE // len(piece)):
        try:
            connection.feed(piece)
        except RemoteEslError:
            return number * len(piece)
    raise AssertionError("a hundred megabytes were taken")
