"""Legs that are there are joined (uuid_bridge), and muted (uuid_audio)."""

from __future__ import annotations

import pytest

from controlplane.emulator.node import Node
from controlplane.emulator.scenarios import CalleePlan, HangUp, Say, Wait
from tests.unit.emulator.conftest import MakeSound
from tests.unit.emulator.conversations import B1, KEPT, leg, people, told
from tests.unit.emulator.links import Link, parked

PARKS = "uuid_bridge_park_on_cancel=true"


async def test_two_parked_legs_are_joined_and_the_first_ends_with_the_second(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(3), HangUp())))
    channel = await parked(link, node)
    link.send(f"bgapi originate {{origination_uuid={B1}}}sofia/external/agent@192.0.2.9 &park()\nJob-UUID: j")
    await link.until("CHANNEL_PARK", Unique_ID=B1)
    assert await link.ask(f"api uuid_bridge {channel.uuid} {B1}") == f"+OK {B1}\n"
    await link.until("CHANNEL_BRIDGE")
    ended = await link.until("CHANNEL_HANGUP_COMPLETE", Unique_ID=channel.uuid)
    assert ended.get("Hangup-Cause") == "NORMAL_CLEARING"
    assert told(link, channel.uuid)[0] == "CHANNEL_EXECUTE_COMPLETE park _none_"


async def test_joined_legs_with_park_after_bridge_park_again(link: Link, node: Node, make_sound: MakeSound) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(3), HangUp())))
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", f"{KEPT};park_after_bridge=true")
    link.send(f"bgapi originate {{origination_uuid={B1}}}sofia/external/agent@192.0.2.9 &park()\nJob-UUID: j")
    await link.until("CHANNEL_PARK", Unique_ID=B1)
    await link.ask(f"api uuid_bridge {channel.uuid} {B1}")
    await link.until("CHANNEL_PARK", Unique_ID=channel.uuid)
    await link.run(channel.uuid, "playback", make_sound("half", 500), "p")
    assert (await link.completed("p")).get("Application-Response") == "FILE PLAYED"


async def test_a_muted_party_is_not_heard(link: Link, node: Node) -> None:
    people(node, agent=CalleePlan(after_answer=(Say("psst", 4), HangUp())))
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", KEPT)
    await link.run(channel.uuid, "bridge", leg("agent"), "b")
    await link.until("CHANNEL_BRIDGE")
    await node.clock.sleep(1)
    assert await link.ask(f"api uuid_audio {B1} start read mute 1") == "+OK\n"
    await node.clock.sleep(1)
    assert await link.ask(f"api uuid_audio {B1} stop") == "+OK\n"
    await link.completed("b")
    assert [item.what for item in channel.hears.items] == [f"leg:{B1}", "silence", f"leg:{B1}"]


@pytest.mark.parametrize(("variable", "then"), [("x=1", "CHANNEL_HANGUP_COMPLETE"), (PARKS, "CHANNEL_PARK")])
async def test_whoever_is_left_as_two_are_being_joined_ends_or_parks(
    link: Link, node: Node, variable: str, then: str
) -> None:
    people(node, agent=CalleePlan(after_answer=(Wait(30), HangUp())))
    channel = await parked(link, node)
    await link.run(channel.uuid, "multiset", f"{KEPT};{variable}")
    link.send(f"bgapi originate {{origination_uuid={B1}}}sofia/external/agent@192.0.2.9 &park()\nJob-UUID: j")
    await link.until("CHANNEL_PARK", Unique_ID=B1)
    await link.ask(f"api uuid_bridge {channel.uuid} {B1}")
    node.channels[B1].hang_up("NORMAL_CLEARING")
    await link.until(then, Unique_ID=channel.uuid)
