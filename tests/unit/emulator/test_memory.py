"""Links without a network behave as sockets do."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node
from tests.unit.emulator.links import Link, open_link


async def test_a_node_that_is_down_refuses_links(node: Node) -> None:
    network = MemoryNetwork(node)
    network.is_down = True
    with pytest.raises(ConnectionRefusedError):
        await network.connect(Link)


async def test_a_severed_line_is_lost_at_both_ends_and_the_calls_go_on(node: Node) -> None:
    network = MemoryNetwork(node)
    link = await open_link(network)
    channel = node.ring("+15550001111", "+15550002222")
    await link.until("CHANNEL_PARK")
    network.sever_all()
    await link.when(lambda: link.is_lost)
    assert node.listeners == []
    assert channel.uuid in node.channels


async def test_a_frozen_line_lets_nothing_through_and_tells_nobody(node: Node) -> None:
    link = await open_link(MemoryNetwork(node))
    assert link.transport is not None
    link.transport.freeze()
    link.send("api status")
    node.ring("+15550001111", "+15550002222")
    await node.clock.sleep(30)
    assert (link.is_lost, link.events, len(link.replies)) == (False, [], 2)
    assert len(node.listeners) == 1


async def test_what_was_written_before_a_close_still_arrives(node: Node) -> None:
    link = await open_link(MemoryNetwork(node))
    link.send("exit")
    await link.when(lambda: link.is_lost)
    assert link.frames[-1].content_type == "text/disconnect-notice"


async def test_a_client_that_closes_is_gone_for_the_node(node: Node) -> None:
    link = await open_link(MemoryNetwork(node))
    assert link.transport is not None
    link.transport.close()
    await link.when(lambda: link.is_lost)
    await asyncio.sleep(0)
    assert node.listeners == []
