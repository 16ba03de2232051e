"""One database a session, emptied after each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from controlplane.base.ids import AccountId
from controlplane.store.channels import CONTROL, QUEUE
from controlplane.store.database import Database
from controlplane.store.journal import Recorder
from controlplane.store.migrate import migrate
from controlplane.store.notify import Listener
from tests.postgres.sample import new_account

_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""


@pytest.fixture(scope="session")
def fresh_url(server_url: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases, each of which is there until the end of the session."""
    made: list[str] = []

    def make() -> str:
        made.append(f"test_{uuid4().hex}")
        _execute(server_url, f"CREATE DATABASE {made[-1]}")
        return make_conninfo(server_url, dbname=made[-1])

    yield make
    for name in made:
        _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def migrated_url(fresh_url: Callable[[], str]) -> str:
    """A database with every migration applied."""
    url = fresh_url()
    migrate(url)
    return url


@pytest.fixture(scope="session")
def empty(migrated_url: str) -> Iterator[Callable[[], None]]:
    """Ends whatever a test left running in the database, and takes out what it put in.

    A database for each test would take ten times as long. The deletions are one statement, as foreign keys are checked
    at its end.
    """
    with psycopg.connect(migrated_url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'"
        ).fetchall()
        deletions = ", ".join(f"of_{name} AS (DELETE FROM {name})" for (name,) in tables)

        def empty() -> None:
            while connection.execute(_END_OTHERS).rowcount:
                pass  # they are ending
            connection.execute(f"WITH {deletions} SELECT 1".encode())

        yield empty


@pytest.fixture
def url(migrated_url: str, empty: Callable[[], None]) -> Iterator[str]:
    """The address of a database that only this test sees, with every table and no row."""
    yield migrated_url
    empty()


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """A pool on this test's database."""
    async with Database(url, size=5, wait_s=60) as database:
        yield database


@pytest.fixture
async def account(db: Database) -> AccountId:
    return await new_account(db)


@pytest.fixture
async def recorder(url: str) -> AsyncIterator[Recorder]:
    recorder = Recorder(url)
    await recorder.start()
    yield recorder
    await recorder.stop()


def _execute(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
async def told(url: str) -> AsyncIterator[asyncio.Queue[tuple[str, str]]]:
    """What call servers are told from now on: channel and text."""
    told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
    listening = asyncio.Event()
    listener = Listener(
        url, [CONTROL, QUEUE], on_notify=lambda channel, text: told.put_nowait((channel, text)), on_gap=listening.set
    )
    await listener.start()
    await listening.wait()
    yield told
    await listener.stop()
