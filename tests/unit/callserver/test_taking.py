"""Shards that are taken while one of the nodes does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from controlplane.callserver.server import CallServer
from controlplane.emulator.memory import MemoryNetwork

from .cluster import Cluster, cluster
from .peers import Session


@dataclass(slots=True)
class Silent:
    """A node to which links hang, as they do where nobody refuses them."""

    network: MemoryNetwork
    here: Cluster
    is_silent: bool = True

    async def connect(self, factory: Callable[[], asyncio.Protocol]) -> object:
        if self.is_silent:
            await self.here.clock.sleep(5)
            raise TimeoutError
        return await self.network.connect(factory)


@dataclass(frozen=True, slots=True)
class Left:
    """The last of three servers, with a part of each node's shards; it is just trying to reach the first node."""

    here: Cluster
    server: CallServer
    session: Session
    node: Silent

    def driven(self, node: str) -> frozenset[int]:
        return self.server.keepers[node].shards

    def held(self, node: str) -> frozenset[int]:
        return frozenset(shard for name, shard in self.session.owned if name == node)


@asynccontextmanager
async def left_alone(folder: Path) -> AsyncIterator[Left]:
    async with cluster(folder, {}, servers=("first", "second", "third")) as here:
        server = here.servers["third"]
        await here.until(lambda: all(0 < len(keeper.shards) < 16 for keeper in server.keepers.values()))
        await here.clock.sleep(10)
        node = Silent(here.ways["third"]["n1"], here)
        server.keepers["n1"].node.connect = node.connect
        node.network.sever_all()
        await here.clock.sleep(1)
        here.kill_server("first")
        here.kill_server("second")
        yield Left(here, server, here.locks.sessions["third"], node)


async def test_a_node_that_does_not_answer_keeps_nobody_from_the_calls_of_others(tmp_path: Path) -> None:
    async with left_alone(tmp_path) as left:
        await left.here.until(lambda: len(left.driven("n2")) == 16, within_s=0.5)
        assert len(left.driven("n1")) < 16
        left.node.is_silent = False
        await left.here.until(lambda: len(left.driven("n1")) == 16)


async def test_shards_that_went_while_their_node_did_not_answer_are_not_driven(tmp_path: Path) -> None:
    async with left_alone(tmp_path) as left:
        before = left.driven("n1")
        await left.here.until(lambda: len(left.held("n1")) == 16, within_s=0.5)
        left.session.end()
        left.here.locks.holders |= {("n1", shard): "another" for shard in range(16) if shard not in before}
        left.node.is_silent = False
        await left.here.clock.sleep(20)
        assert (left.driven("n1"), left.held("n1")) == (before, before)


async def test_nobody_waits_to_be_placed_for_a_node_that_does_not_answer_and_is_to_be_given_back(
    tmp_path: Path,
) -> None:
    async with left_alone(tmp_path) as left:
        here, held_up_s = left.here, 0.0
        await here.until(lambda: len(left.driven("n2")) == len(left.held("n1")) == 16)
        changing = left.server.keepers["n1"].changing
        await here.until(lambda: not changing.locked())
        await here.until(changing.locked)
        starting = asyncio.create_task(here.start_server("fourth", databases=None))
        while not starting.done():
            held_up_s = held_up_s + 0.05 if left.server.intake.placing.locked() else 0.0
            assert held_up_s < 0.5
            await here.clock.sleep(0.05)
        await here.until(lambda: len(left.held("n1")) + len(left.held("n2")) == 16)
