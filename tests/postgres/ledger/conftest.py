"""A made-up run that balances, with a media node and a call server that are there and at rest.

The database is filled once; a test changes it in a transaction that is rolled back, and the ledger looks from within.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from controlplane.emulator.clock import RealClock
from controlplane.emulator.node import Node
from controlplane.emulator.rules import LinkRules
from controlplane.emulator.server import Server
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.migrate import migrate
from tests.chaos.ledger.checks import problems_of
from tests.chaos.ledger.database import tables_of
from tests.chaos.ledger.evidence import Problem, evidence_in
from tests.chaos.ledger.live_nodes import Address, LiveNode
from tests.postgres.ledger.scene import Scene, fill


@pytest.fixture(scope="module")
def filled_url(fresh_url: Callable[[], str]) -> str:
    """A database of this file's own."""
    url = fresh_url()
    migrate(url)
    return url


@pytest.fixture(scope="module")
def call_server(filled_url: str) -> Iterator[None]:
    """A call server is listed, and its session holds two shards."""
    with psycopg.connect(filled_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO call_servers (server_id, backend_pid, backend_start)"
            " SELECT 'one', pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        )
        connection.execute("SELECT pg_advisory_lock(7, 1), pg_advisory_lock(7, 2)")
        yield


@pytest.fixture(scope="module")
def model(filled_url: str, call_server: None) -> Iterator[Scene]:
    """The scene as it is when all is well."""
    with psycopg.connect(filled_url) as connection:
        scene = Scene(Path(), connection)
        asyncio.run(_fill(filled_url, scene))
        yield scene


async def _fill(url: str, scene: Scene) -> None:
    recorder = Recorder(url)
    await recorder.start()
    async with Database(url, size=2, wait_s=60) as db:
        await fill(db, recorder, scene)
    await recorder.stop()


@pytest.fixture
def scene(model: Scene, tmp_path: Path) -> Iterator[Scene]:
    """One to spoil."""
    parts: dict[str, Any] = {
        name: copy.deepcopy(getattr(model, name))
        for name in ("run", "dialogs", "records", "webhooks", "placements", "plans", "commands")
    }
    yield replace(model, folder=tmp_path, **parts)
    model.connection.rollback()


@dataclass(slots=True)
class Emulated:
    """A media node that is alive, and where it is."""

    node: Node
    address: Address


@pytest.fixture
async def emulated() -> AsyncIterator[Emulated]:
    node = Node(RealClock(), name="m1")
    server = Server(node, LinkRules(password="secret"))
    port = await server.start()
    yield Emulated(node, Address("m1", "127.0.0.1", port, "secret"))
    node.restart()  # so that no timer is left
    await server.stop()


def look(scene: Scene, *nodes: LiveNode) -> list[Problem]:
    """One look of the ledger."""
    scene.write()
    return look_as_it_is(scene, *nodes)


def look_as_it_is(scene: Scene, *nodes: LiveNode) -> list[Problem]:
    """One at what is written already."""
    return problems_of(evidence_in(scene.folder, tables_of(scene.connection), nodes))
