"""The links to a node: when they count as there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.node import Node as EmulatedNode
from controlplane.switch.link import LinkLost
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


async def test_a_node_that_falls_silent_once_we_are_logged_in_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pings yet. A call server would wait for it with everything that concerns its other nodes."""
    monkeypatch.setattr("controlplane.switch.node.LOGIN_TIMEOUT_S", 0.05)
    clock = VirtualClock()
    network = MemoryNetwork(EmulatedNode(clock))

    async def connect(factory: Callable[[], asyncio.Protocol]) -> object:
        for command_link in network.transports:
            command_link.freeze()
        return await network.connect(factory)

    node = Node("n1", connect, "ClueCon", clock, lambda _news: None, lambda _why: None)
    async with asyncio.timeout(5):
        with pytest.raises(LinkLost):
            await node.open(frozenset({1}))
    assert not node.is_up
