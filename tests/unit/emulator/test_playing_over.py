"""uuid_displace: what is laid over what a leg hears."""

from __future__ import annotations

import pytest

from controlplane.emulator.node import Node
from tests.unit.emulator.conftest import MakeSound
from tests.unit.emulator.links import Link, parked


@pytest.mark.parametrize(("silence_when_idle", "is_heard"), [("", False), ("0", False), ("-1", True)])
async def test_in_a_pause_it_is_heard_by_a_leg_that_is_sent_silence_then(
    link: Link, node: Node, make_sound: MakeSound, silence_when_idle: str, is_heard: bool
) -> None:
    channel, notice = await parked(link, node), make_sound("notice", 500)
    await link.run(channel.uuid, "answer", "")
    await link.ask(f"api uuid_setvar {channel.uuid} send_silence_when_idle {silence_when_idle}")
    await link.run(channel.uuid, "sleep", "2000")

    assert await link.ask(f"api uuid_displace {channel.uuid} start {notice} 0 mux") == "+OK Success\n"

    assert (notice in [item.what for item in channel.hears.items]) is is_heard
