"""Whatever a peer sends: frames or RemoteEslError, and the same ones however the bytes were sliced."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from urllib.parse import unquote_to_bytes

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.esl.connection import ClientConnection, Limits, SwitchConnection
from controlplane.esl.errors import RemoteEslError
from controlplane.esl.frames import CommandFrame, EslEvent, Frame, unquoted
from controlplane.esl.writing import encode_event_json, encode_event_plain

SMALL = Limits(header_bytes=120, body_bytes=60)
PIECES = st.sampled_from(
    [
        *(b"\n", b"\r", b"\n\n", b"\r\n\r\n", b": ", b":", b"%0A", b"%", b"\0", b"\xff", b"{", b"[", b"x" * 70),
        b"Content-Length: ",
        b"content-length:",
        b"Content-Type: text/event-plain\n",
        b"Content-Type: text/event-json\n",
        b"Content-Type: command/reply\n",
        b"Event-Name: CHANNEL_PARK\n",
        b"Content-Length: 12\n\nEvent-Name: ",
        b"Content-Length: 5\nContent-Type: text/event-json\n\n{}   ",
        b"Content-Length: 26\nContent-Type: text/event-plain\n\nEvent-Name: DTMF\nA: %0AB\n\n",
        *(b"-1", b"0", b"3", b"61", b"99999999999999999999"),
        b"api status\n\n",
        b"sendmsg\ncontent-length: 3\n\nabc",
    ]
)
STREAMS = st.lists(PIECES | st.binary(max_size=6), max_size=25).map(b"".join)
HEADERS = st.lists(st.tuples(st.text("AbC-_", min_size=1, max_size=6), st.text(max_size=12)), max_size=6)


def outcome(reader: ClientConnection | SwitchConnection, chunks: Iterable[bytes]) -> tuple[list[Any], bool]:
    """All that came out, and whether the stream was given up."""
    frames: list[Any] = []
    try:
        for chunk in [*chunks, b""]:
            frames += reader.feed(chunk)
    except RemoteEslError:
        assert reader.eof()
        return frames, True
    return frames, False


def sliced(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    return [stream[a:b] for a, b in pairwise(places)]


@settings(max_examples=400)
@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=12))
def test_slices_change_nothing(stream: bytes, cuts: list[int]) -> None:
    for role in (ClientConnection, SwitchConnection):
        whole = outcome(role(SMALL), [stream])
        assert outcome(role(SMALL), sliced(stream, cuts)) == whole
        assert outcome(role(SMALL), [bytes([byte]) for byte in stream]) == whole


@settings(max_examples=400)
@given(STREAMS)
def test_whatever_came_can_be_read(stream: bytes) -> None:
    for frame in outcome(ClientConnection(), [stream])[0]:
        assert isinstance(frame, Frame)
        readable(frame)
    for command in outcome(SwitchConnection(), [stream])[0]:
        assert isinstance(command, CommandFrame)
        assert "\n" not in command.line


def readable(frame: Frame) -> None:
    _ = frame.content_type, frame.reply_text, frame.text
    try:
        event = frame.event()
    except RemoteEslError:
        return
    names_stand_for_themselves(event)


def names_stand_for_themselves(event: EslEvent) -> None:
    first: dict[str, str] = {}
    for name, value in event.headers.items():
        assert "\n" not in name
        value.encode()
        if "\ufffd" not in name:  # a name that is no UTF-8 cannot be asked for
            first.setdefault(name, value)
    assert {name: event.get(name) for name in first} == first


@given(
    st.lists(st.sampled_from([b"%41", b"%c3%bc", b"%0D", b"%", b"=", b"=41", b"\r", b"\n", b"_", b" ", b"x"])).map(
        b"".join
    )
)
def test_the_fast_way_to_decode_is_the_slow_way(value: bytes) -> None:
    assert unquoted(value) == unquote_to_bytes(value)


@settings(max_examples=200)
@given(HEADERS, st.text(max_size=30))
def test_no_value_and_no_body_gives_a_header(headers: list[tuple[str, str]], body: str) -> None:
    headers = [("Event-Name", "CUSTOM"), *((name, value.replace("\ud800", "")) for name, value in headers)]
    names = [name for name, _ in headers]
    for encode in (encode_event_plain, encode_event_json):
        [frame] = ClientConnection().feed(encode(headers, body))
        event = frame.event()
        found = [name for name, _ in event.headers.items() if name != "Content-Length"]
        assert set(found) == set(names)
        assert event.body == body
