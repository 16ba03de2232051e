"""Recorded streams cut anew at every byte: the frames must be the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from controlplane.esl.connection import ClientConnection, SwitchConnection
from tests.transcripts.recorded import Stream, streams

# What tells frames apart: their type, the event, the command.
_KIND = re.compile(rb"(?m)^(?:Content-Type: .*|Event-Name: .*|api \w+|[a-z]+(?= |$))")


def all_streams() -> list[Stream]:
    """Everything that was recorded."""
    return streams()


def one_of_each() -> list[Stream]:
    """A stream a direction with the shortest frame of each kind in it."""
    kinds: dict[tuple[bool, object], bytes] = {}
    for stream in streams():
        for raw in sorted(stream.frames, key=len):
            place = (stream.is_from_switch, tuple(_KIND.findall(raw)[:2]))
            if len(raw) < len(kinds.get(place, raw + b"x")):
                kinds[place] = raw
    return [
        Stream(str(side), side, tuple(raw for place, raw in kinds.items() if place[0] == side))
        for side in (True, False)
    ]


def cut_everywhere(some: Iterable[Stream]) -> int:
    """Feed every frame in two pieces, cut at each of its bytes in turn; answers how many cuts that were."""
    return sum(1 for stream in some for _ in _cuts(stream))


def _cuts(stream: Stream) -> Iterator[None]:
    connection: ClientConnection | SwitchConnection = (
        ClientConnection() if stream.is_from_switch else SwitchConnection()
    )
    for raw in stream.frames:
        whole = connection.feed(raw)
        for place in range(1, len(raw)):
            again = [*connection.feed(raw[:place]), *connection.feed(raw[place:])]
            assert again == whole, f"{stream.name}: {raw[:80]!r} cut at {place}"
            yield
    assert not connection.eof()
