"""The links to a node: when they count as there."""

from __future__ import annotations

import asyncio

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node as EmulatedNode
from controlplane.switch.node import Node


async def seen_while_opening(node: Node) -> set[tuple[bool, str]]:
    """What others see of a node at every turn of the loop until its links are open: whether it is up, as which run."""
    opening = asyncio.create_task(node.open(frozenset({1})))
    seen = set()
    while not opening.done():
        seen.add((node.is_up, node.core_uuid))
        await asyncio.sleep(0)
    await opening
    return seen


async def test_a_node_is_up_when_all_is_known_of_it_and_not_before() -> None:
    """A call server once took a node for there whose run was not known yet, or was still that of before."""
    clock = VirtualClock()
    emulated = EmulatedNode(clock)
    node = Node("n1", MemoryNetwork(emulated).connect, "ClueCon", clock, lambda _news: None, lambda _why: None)
    for _ in range(2):
        before = node.core_uuid
        assert {core for is_up, core in await seen_while_opening(node) if is_up} == set()
        assert (node.is_up, node.core_uuid) == (True, emulated.core_uuid)
        assert before != emulated.core_uuid
        emulated.restart()
        while node.is_up:
            await asyncio.sleep(0)
    await node.close()
    assert not node.is_up
