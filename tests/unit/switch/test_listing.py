"""The list of a node's channels."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.base.ids import LegId
from controlplane.switch.listing import ROWS_AT_ONCE, Channel, channels_of

_ROW = {"uuid": "d6ea69e6-4917-4b9c-acf8-6fde6fde6df4", "direction": "inbound", "callstate": "ACTIVE"}


def _written(rows: list[dict[str, str]]) -> str:
    """As FreeSWITCH writes it (mod_commands.c, show_function)."""
    return json.dumps({"row_count": len(rows), "rows": rows} if rows else {"row_count": 0}, separators=(",", ":"))


async def test_a_list_tells_of_each_channel_what_we_need_to_know() -> None:
    rows = [
        {**_ROW, "context": "door", "application": "read", "application_data": 'a "quoted" ], "rows":[{ thing \\'},
        {**_ROW, "direction": "outbound", "callstate": "RINGING", "context": "default", "application": ""},
    ]
    leg = LegId(_ROW["uuid"])
    assert await channels_of(_written(rows)) == [
        Channel(leg, is_answered=True, is_inbound=True, context="door", application="read"),
        Channel(leg, is_answered=False, is_inbound=False, context="default", application=""),
    ]
    assert await channels_of(json.dumps({"rows": rows[:1], "row_count": 1}, indent=1)) == [
        Channel(leg, is_answered=True, is_inbound=True, context="door", application="read")
    ]


@pytest.mark.parametrize("text", ["", "{}", '{"row_count": 0}\n'])
async def test_a_node_without_channels_lists_none(text: str) -> None:
    assert await channels_of(text) == []


@pytest.mark.parametrize(
    "text",
    ["-ERR SQL disabled", "[]", "null", '{"row_count":1,"rows":[', '{"row_count":1,"rows":[{}', '{"rows":[{},]}',
     '{"rows":[1]}', '{"rows":[{}]', '{"rows":[{}]} more'],
)  # fmt: skip
async def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"channel|Expecting"):
        await channels_of(text)


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_a_list_is_read_as_json_whatever_stands_in_it(legs: list[str], texts: list[str]) -> None:
    rows = [{"application_data": text, "uuid": leg, "context": text} for leg, text in zip(legs, texts, strict=False)]
    channels = asyncio.run(channels_of(_written(rows)))
    assert [(channel.leg, channel.context) for channel in channels] == [(row["uuid"], row["context"]) for row in rows]


async def test_others_have_their_turns_while_a_long_list_is_read() -> None:
    rounds = 5
    reading = asyncio.create_task(channels_of(_written([_ROW] * (ROWS_AT_ONCE * rounds))))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert (len(await reading), turns >= rounds) == (ROWS_AT_ONCE * rounds, True)
