"""Recorded conversations with a real FreeSWITCH 1.10.12, as the byte streams they were.

Each file of `data/` is one scenario, one JSON object a line: `t` seconds since it began, `wire` (which socket), `dir`
(`fs>app`, `app>fs`, `closed`), `raw` one whole frame as it stood on the wire.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Stream:
    """All frames of one direction of one socket."""

    name: str
    is_from_switch: bool
    frames: tuple[bytes, ...]


def streams() -> list[Stream]:
    """Every stream of every scenario, in a fixed order."""
    return [stream for path in sorted(DATA.glob("*.jsonl")) for stream in _streams_of(path)]


def _streams_of(path: Path) -> list[Stream]:
    frames: dict[tuple[str, str], list[bytes]] = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        if record["dir"] != "closed":
            raw = record["raw"].encode("utf-8", "surrogateescape")
            frames.setdefault((record["wire"], record["dir"]), []).append(raw)
    return [
        Stream(f"{path.stem}/{wire}/{direction}", direction == "fs>app", tuple(raws))
        for (wire, direction), raws in frames.items()
    ]
