"""A made-up run that balances, with a media node and a call server that are there and at rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from controlplane.base.ids import AccountId
from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.rules import LinkRules
from controlplane.emulator.server import Server
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from tests.chaos.ledger.checks import problems_of
from tests.chaos.ledger.evidence import Problem, gather
from tests.chaos.ledger.live_nodes import Address
from tests.postgres.ledger.scene import Scene, balanced_scene


@dataclass(slots=True)
class LiveNode:
    """A media node that is alive, and where it is."""

    node: Node
    address: Address


@pytest.fixture
async def live_node() -> AsyncIterator[LiveNode]:
    node = Node(RealClock(), name="m1")
    server = Server(node, LinkRules(password="secret"))
    port = await server.start()
    yield LiveNode(node, Address("m1", "127.0.0.1", port, "secret"))
    await server.stop()


@pytest.fixture
def call_server(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """The session of a call server that is listed and holds two shards."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO call_servers (server_id, backend_pid, backend_start)"
            " SELECT 'one', pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        connection.execute("SELECT pg_advisory_lock(7, 1), pg_advisory_lock(7, 2)")
        yield connection


@pytest.fixture
async def scene(
    tmp_path: Path,
    url: str,
    db: Database,
    recorder: Recorder,
    account: AccountId,
    call_server: psycopg.Connection[tuple[object, ...]],
) -> Scene:
    return await balanced_scene(tmp_path, url, db, recorder, account)


async def look(scene: Scene, live_node: LiveNode) -> list[Problem]:
    """One look of the ledger, beside the node's event loop."""
    scene.write()
    return problems_of(await asyncio.to_thread(gather, scene.folder, scene.url, [live_node.address]))
