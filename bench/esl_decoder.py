"""How fast events are decoded: our codec, greenswitch's and Genesis', on all events of the recorded conversations.

All get the same bytes, all `text/event-plain` frames of a real FreeSWITCH, and do the whole way from the stream to
header values: ours `ClientConnection.feed` in pieces of 64 KiB, `Frame.event`, `EslEvent.get`; greenswitch's own
receiving loop (`ESLProtocol.receive_events`) on a file object that holds the stream, and the headers of the events it
puts into its queue; Genesis' own reading loop (`Protocol.handler`) on a stream reader that holds it. Both peers decode
every header of every event before anyone asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

from greenswitch.esl import ESLProtocol

from bench.measurement import Measurement, compared, cpu_s, in_turn, print_all, rates
from bench.peers.decoder import Genesis, running_genesis
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent
from tests.transcripts.recorded import streams

PIECE_BYTES = 64 * 1024
GENESIS_ROUNDS = 9
# What a call server reads of most events.
FOUR = ("Event-Name", "Unique-ID", "Application-UUID", "Answer-State")
CASES: dict[str, tuple[tuple[str, ...] | None, str | None]] = {
    "none": ((), None),
    "four": (FOUR, "ratio 10 or more"),
    "all": (None, "ratio 2 or more"),
}


def measure() -> Iterator[Measurement]:
    """Decode with none, four and all headers read."""
    stream, count = recorded_events()
    agree(stream, count)
    for name, (headers, aim) in CASES.items():
        theirs = partial(decode, greenswitch_events, stream, headers)
        ours = partial(decode, our_events, stream, headers)
        yield rates(f"esl_decode_{name}_headers_read", count, "events/s", "greenswitch", ours, theirs, aim)
    with running_genesis(stream) as genesis:
        agree_with_genesis(genesis, stream)
        for name, (headers, aim) in CASES.items():
            ours = partial(decode, our_events, stream, headers)
            rounds = in_turn(cpu_s(ours), partial(genesis.round_s, headers, count), rounds=GENESIS_ROUNDS)
            pairs = [(count / own_s, count / their_s) for own_s, their_s in rounds]
            yield compared(f"esl_decode_{name}_headers_read", "events/s", pairs, "Genesis", aim)


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


def decode(events: Callable[[bytes], Iterator[Any]], stream: bytes, headers: tuple[str, ...] | None) -> None:
    """Take a stream apart and read some headers of each event; None is all."""
    for event in events(stream):
        if headers is None:
            dict(event.headers.items())
        else:
            for name in headers:
                event.headers.get(name)


def agree(stream: bytes, count: int) -> None:
    """Both must find the same events, or the times say nothing."""
    ours = [[event.get(name) for name in FOUR] for event in our_events(stream)]
    theirs = [[event.headers.get(name) for name in FOUR] for event in greenswitch_events(stream)]
    if len(ours) != count or ours != theirs:
        raise AssertionError("the two decoders do not agree")


def agree_with_genesis(genesis: Genesis, stream: bytes) -> None:
    """The same, of Genesis."""
    if genesis.values(FOUR) != [[event.get(name) for name in FOUR] for event in our_events(stream)]:
        raise AssertionError("Genesis finds other events")


if __name__ == "__main__":
    print_all(measure())
