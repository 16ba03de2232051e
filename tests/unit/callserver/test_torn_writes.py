"""A link that breaks inside of what was written to it at once: the node has read the beginning, and nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from controlplane.emulator.memory import MemoryNetwork
from controlplane.emulator.scenarios import CalleePlan, ExpectEnd, HangUp, Hear, Say, Then

from .platform import platform


class Torn:
    """A transport that ends after the first command of what holds a word."""

    def __init__(self, transport: asyncio.Transport, torn: TearingNetwork) -> None:
        self._transport, self._torn = transport, torn

    def write(self, data: bytes) -> None:
        first, blank, _ = data.partition(b"\n\n")
        if self._torn.word not in data or self._torn.is_torn:
            self._transport.write(data)
            return
        self._torn.is_torn = True
        self._transport.write(first + blank)
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, self._torn.network.sever_all)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


@dataclass
class TearingNetwork:
    """The way to a node on which one write is torn."""

    network: MemoryNetwork
    word: bytes
    is_torn: bool = False

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> object:
        def made() -> asyncio.Protocol:
            link = factory()
            begin = link.connection_made
            link.connection_made = lambda transport: begin(Torn(transport, self))  # type: ignore[method-assign, arg-type]
            return link

        return await self.network.connect(made)


async def test_who_was_to_be_dialled_is_dialled_once_though_the_link_broke_after_the_mark(tmp_path: Path) -> None:
    pages = {"/": "<Say>hello</Say><Redirect>/dial</Redirect>", "/dial": "<Dial>+15550003333</Dial><Say>bye</Say>"}
    async with platform(tmp_path, pages) as here:
        torn = TearingNetwork(here.network, b"execute-app-name: bridge")
        here.servers[0].keepers["n1"].node.connect = torn.connect
        here.network.sever_all()
        await here.clock.sleep(1)
        agent = CalleePlan(1, Then.ANSWER, (Say("here I am", 2), HangUp()))
        log = await here.call(Hear("hello"), Hear("here I am"), Hear("bye"), ExpectEnd(), _15550003333=agent)
        assert (torn.is_torn, log.problems) == (True, [])
        assert len(here.logs) == 2


async def test_nobody_is_dialled_again_when_the_link_breaks_while_two_talk(tmp_path: Path) -> None:
    pages = {"/": "<Dial>+15550003333</Dial><Say>bye</Say>"}
    async with platform(tmp_path, pages) as here:
        here.clock.call_at_ms(here.clock.monotonic_ms() + 3000, here.network.sever_all)
        agent = CalleePlan(1, Then.ANSWER, (Say("here I am", 5), HangUp()))
        log = await here.call(Hear("here I am"), Hear("bye"), ExpectEnd(), _15550003333=agent)
        assert (log.problems, len(here.logs)) == ([], 2)
