"""The list of a node's channels, read in pieces.

A channel takes 0.6 to 1.8 KB there, and one that plays music 13 KB, as FreeSWITCH shows all that an application was
given (switch_core_sqldb.c): of 10,000 channels that is up to 130 MB, seconds of work in one piece.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from controlplane.base.ids import LegId

ROWS_AT_ONCE = 100  # 1 ms, or 5 ms of the longest

# A quote inside of a value has a backslash before it, so nothing in a value is taken for this.
_BEGINNING = re.compile(r'\s*\{\s*(?:"row_count"\s*:\s*\d+\s*,\s*)?"rows"\s*:\s*\[\s*')
_COMMA = re.compile(r"\s*,\s*")
_END = re.compile(r'\s*\]\s*(?:,\s*"row_count"\s*:\s*\d+\s*)?\}\s*')
_NONE = re.compile(r'\s*(?:\{\s*(?:"row_count"\s*:\s*0\s*)?\}\s*)?')


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as the node lists it."""

    leg: LegId
    is_answered: bool
    is_inbound: bool
    context: str
    application: str


async def channels_of(text: str) -> list[Channel]:
    """The channels of an answer to `show channels as json`; the loop has its turns. Raises ValueError."""
    if _NONE.fullmatch(text):
        return []
    beginning = _BEGINNING.match(text)
    if beginning is None:
        raise ValueError("no list of channels")
    channels: list[Channel] = []
    place, read = beginning.end(), json.JSONDecoder().raw_decode
    while True:
        row, place = read(text, place)
        channels.append(_channel(row))
        comma = _COMMA.match(text, place)
        if comma is None:
            break
        place = comma.end()
        if len(channels) % ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    if _END.fullmatch(text, place) is None:
        raise ValueError("a list of channels that does not end")
    return channels


def _channel(row: dict[str, Any]) -> Channel:
    if not isinstance(row, dict):
        raise ValueError("a channel that is no object")
    return Channel(
        LegId(str(row.get("uuid", ""))),
        is_answered=row.get("callstate") not in ("DOWN", "RINGING", "EARLY", "DIALING"),
        is_inbound=row.get("direction") == "inbound",
        context=str(row.get("context", "")),
        application=str(row.get("application", "")),
    )
