"""How fast events are decoded: our codec and greenswitch's, on all events of the recorded conversations.

Both get the same bytes, all `text/event-plain` frames of a real FreeSWITCH, and do the whole way from the stream to
header values: ours `ClientConnection.feed` in pieces of 64 KiB, `Frame.event`, `EslEvent.get`; greenswitch's own
receiving loop (`ESLProtocol.receive_events`) on a file object that holds the stream, and the headers of the events it
puts into its queue. greenswitch decodes every header of every event before anyone asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

from greenswitch.esl import ESLProtocol

from bench.measurement import Measurement, print_all, rates
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent
from tests.transcripts.recorded import streams

PIECE_BYTES = 64 * 1024
# What a call server reads of most events.
FOUR = ("Event-Name", "Unique-ID", "Application-UUID", "Answer-State")


def recorded_events() -> tuple[bytes, int]:
    """All events of all conversations as one stream, and their number."""
    frames = [raw for stream in streams() if stream.is_from_switch for raw in stream.frames]
    events = [raw for raw in frames if b"\nContent-Type: text/event-plain\n\n" in raw[:100]]
    return b"".join(events), len(events)


def our_events(stream: bytes) -> Iterator[EslEvent]:
    """Events by our codec."""
    connection = ClientConnection()
    for start in range(0, len(stream), PIECE_BYTES):
        for frame in connection.feed(stream[start : start + PIECE_BYTES]):
            yield frame.event()


def greenswitch_events(stream: bytes) -> Iterator[Any]:
    """Events by greenswitch."""
    protocol = ESLProtocol()
    protocol.sock_file = BytesIO(stream)
    protocol.receive_events()
    while not protocol._esl_event_queue.empty():
        yield protocol._esl_event_queue.get_nowait()


def read_none(event: Any) -> None:
    """Be content that there is an event."""


def read_four(event: Any) -> None:
    """Ask for what a call server reads of most events."""
    for name in FOUR:
        event.headers.get(name)


def read_all(event: Any) -> None:
    """Ask for everything."""
    dict(event.headers.items())


def measure() -> Iterator[Measurement]:
    """Decode with none, four and all headers read."""
    stream, count = recorded_events()
    agree(stream, count)
    for name, read in (("none", read_none), ("four", read_four), ("all", read_all)):
        ours = partial(decode, our_events, stream, read)
        value, peer_value = rates(count, ours, partial(decode, greenswitch_events, stream, read))
        yield Measurement(
            f"esl_decode_{name}_headers_read", value, "events/s", "greenswitch", peer_value, value / peer_value
        )


def decode(events: Callable[[bytes], Iterator[Any]], stream: bytes, read: Callable[[Any], None]) -> None:
    """Take a stream apart and read each event."""
    for event in events(stream):
        read(event)


def agree(stream: bytes, count: int) -> None:
    """Both must find the same events, or the times say nothing."""
    ours = [[event.get(name) for name in FOUR] for event in our_events(stream)]
    theirs = [[event.headers.get(name) for name in FOUR] for event in greenswitch_events(stream)]
    if len(ours) != count or ours != theirs:
        raise AssertionError("the two decoders do not agree")


if __name__ == "__main__":
    print_all(measure())
