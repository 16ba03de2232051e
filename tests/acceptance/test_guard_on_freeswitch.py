"""A link to a real FreeSWITCH that nobody reads is ended from the node's side, and FreeSWITCH goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from controlplane.esl import apis
from controlplane.esl.commands import Command, line
from controlplane.switch.sockets import SocketsUnseen, connections_of, end
from controlplane.switch.stalled import Stalls
from controlplane.wiring.clock import SystemClock
from controlplane.wiring.guard import guard
from tests.acceptance.media_node import Link, MediaNode

pytestmark = pytest.mark.freeswitch

SUBCLASS, SIZE_BYTES, EVENTS = "callplane::big", 100_000, 200


def fire(link: Link) -> None:
    """Have the node send everybody more than all buffers between hold."""
    head = f"sendevent CUSTOM\nEvent-Subclass: {SUBCLASS}\nContent-Length: {SIZE_BYTES}\n\n"
    for _ in range(EVENTS):
        assert link.send(Command("sendevent", head.encode() + b"x" * SIZE_BYTES)).startswith("+OK")


async def test_the_node_lets_go_of_a_link_that_nobody_reads(node: MediaNode) -> None:
    link, frozen = node.link(), node.link()
    assert frozen.send(line("event", f"plain CUSTOM {SUBCLASS}")) == "+OK event listener enabled plain"
    await asyncio.to_thread(fire, link)
    try:
        open_before = connections_of(node.esl_port)
        end(replace(open_before[0], identity=b"\0\1" + open_before[0].identity[2:]))  # one that is not there
    except SocketsUnseen as error:
        pytest.skip(f"needs Linux and CAP_NET_ADMIN: {error}")
    before = len(open_before)
    guarding = asyncio.create_task(guard(node.esl_port, Stalls(1.0), SystemClock(), look_s=0.1))
    async with asyncio.timeout(30):
        while len(connections_of(node.esl_port)) == before:
            await asyncio.sleep(0.05)
    guarding.cancel()
    assert len(connections_of(node.esl_port)) == before - 1
    assert link.send(apis.ping()).strip().isdigit()
