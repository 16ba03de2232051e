"""Streams of an event socket cut into the pieces they were written in."""

from __future__ import annotations

import pytest

from tests.chaos.frames import Cutter, Frame

EVENT = b"Event-Name: CHANNEL_PARK\nUnique-ID: 1\nCaller-Caller-ID-Number: %2B1555\n\n"
PIECES = [
    b"api uptime\n\n",
    b"\n",
    b"sendmsg 1\ncontent-type: text/plain\ncontent-length: 4\n\na\n\nb",
    b"Content-Length: %d\nContent-Type: text/event-plain\n\n%b" % (len(EVENT), EVENT),
    b"api status\r\n\r\n",
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_stream_gives_its_pieces_however_it_was_sliced(size: int) -> None:
    stream, cutter, frames = b"".join(PIECES), Cutter(), []
    for start in range(0, len(stream), size):
        frames += cutter.feed(stream[start : start + size])
    assert b"".join(frame.data for frame in frames) == stream
    assert [frame.data for frame in frames if frame.data not in (b"\n", b"\r")][:4] == [
        piece for piece in PIECES if piece != b"\n"
    ][:4]


def test_headers_are_read_from_the_event_in_a_frame() -> None:
    frame = Frame(PIECES[3])
    assert (frame.header("Event-Name"), frame.header("Caller-Caller-ID-Number"), frame.header("None")) == (
        "CHANNEL_PARK",
        "+1555",
        "",
    )
