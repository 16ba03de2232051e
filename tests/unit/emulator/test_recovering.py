"""A node dies, and another brings up what it left."""

from __future__ import annotations

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from tests.unit.emulator.links import ENGINE_EVENTS, Link, open_link, parked


@pytest.fixture
async def two(clock: VirtualClock) -> tuple[Node, Link, Node, Link]:
    one, other = Node(clock, name="n1"), Node(clock, name="n2", seed=1)
    for node in (one, other):
        node.left = {}
    return one, await open_link(MemoryNetwork(one)), other, await open_link(MemoryNetwork(other))


def hand_over(one: Node, other: Node) -> None:
    assert one.left is not None
    assert other.left is not None
    other.left |= one.left
    one.left.clear()


async def test_an_answered_leg_comes_up_at_the_door_under_its_uuid_and_an_unanswered_one_does_not(
    two: tuple[Node, Link, Node, Link],
) -> None:
    one, link, other, other_link = two
    answered, ringing = await parked(link, one), await parked(link, one, answered=False)
    await link.ask(f"api uuid_setvar {answered.uuid} callplane_call late")  # after its row was written
    await other_link.ask(f"event plain {ENGINE_EVENTS}")
    one.die()
    hand_over(one, other)
    assert await other_link.ask("api sofia profile internal recover") == "Recovered 1 session(s)\n"
    event = await other_link.until("CHANNEL_PARK")
    assert event.get("Unique-ID") == answered.uuid
    assert [event.variable(name) for name in ("recovered", "callplane_call", "callplane_door")] == ["true", None, "a"]
    assert list(other.channels) == [answered.uuid]
    assert ringing.uuid not in other.channels
    assert await other_link.ask("api sofia profile internal recover") == "No sessions to recover.\n"


async def test_two_who_were_joined_are_joined_again(two: tuple[Node, Link, Node, Link]) -> None:
    one, link, other, other_link = two
    legs = [await parked(link, one), await parked(link, one)]
    await link.ask(f"api uuid_bridge {legs[0].uuid} {legs[1].uuid}")
    await link.when(lambda: legs[0].partner is not None)
    await other_link.ask(f"event plain {ENGINE_EVENTS}")
    one.die()
    hand_over(one, other)
    await other_link.ask("api sofia profile internal recover")
    joined = await other_link.until("CHANNEL_BRIDGE")
    assert (joined.get("Bridge-A-Unique-ID"), joined.get("Bridge-B-Unique-ID")) == (legs[0].uuid, legs[1].uuid)
    assert legs[0].partner is legs[1]


async def test_a_node_that_is_dead_refuses_links_and_one_that_pauses_refuses_legs(
    two: tuple[Node, Link, Node, Link],
) -> None:
    one, _, other, other_link = two
    network = MemoryNetwork(one)
    one.die()
    with pytest.raises(ConnectionRefusedError):
        await open_link(network)
    assert await other_link.ask("api fsctl pause") == "+OK\n"
    refused = other.ring("+15550001111", "+15550002222")
    assert refused.cause == "SWITCH_CONGESTION"
