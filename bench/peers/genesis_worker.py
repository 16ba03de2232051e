"""Genesis decodes a stream of events; run by the interpreter of an environment of its own (peers/genesis.txt).

Its versions of other libraries are not ours, so it cannot be imported where ours is. The first argument is a file with
the stream. Each line on the standard input names which headers to read (JSON: a list, or null for all); the answer is
the CPU time of that round and the number of events. `{"values": [...]}` asks for those headers' values instead.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from genesis.protocol.base import Protocol


class Decoder(Protocol):  # type: ignore[misc]
    """Genesis' own reading loop on a reader that holds the whole stream; nothing consumes its queue."""


async def decoded(stream: bytes) -> list[Any]:
    """Every event, as its reading loop puts it into its queue."""
    decoder = Decoder()
    decoder.reader = asyncio.StreamReader(limit=1 << 26)
    decoder.reader.feed_data(stream)
    decoder.reader.feed_eof()
    decoder.is_connected = True
    await decoder.handler()
    queued = [decoder.events.get_nowait() for _ in range(decoder.events.qsize())]
    return [event for event in queued if event is not None]


def read(events: list[Any], names: list[str] | None) -> None:
    """Read headers of all events; None is all of them."""
    for event in events:
        if names is None:
            dict(event.items())
        else:
            for name in names:
                event.get(name)


def main(path: str) -> None:
    """Answer one line for each line."""
    stream = Path(path).read_bytes()
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, dict):
            events = asyncio.run(decoded(stream))
            print(json.dumps([[event.get(name) for name in asked["values"]] for event in events]), flush=True)
            continue
        begin_s = time.process_time()
        events = asyncio.run(decoded(stream))
        read(events, asked)
        print(json.dumps([time.process_time() - begin_s, len(events)]), flush=True)


main(sys.argv[1])
