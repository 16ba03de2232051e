"""A real PostgreSQL: one server and one migrated template a session, a fresh database a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from controlplane.settings import Settings
from controlplane.store import embedded
from controlplane.store.database import Database
from controlplane.store.migrate import migrate


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The server of CALLPLANE_DATABASE_URL, where that is set, else an embedded one."""
    given = Settings().database_url
    if given is not None:
        yield given.get_secret_value()
        return
    # Not in pytest's own temporary folder: each session of pytest takes its permissions away from others anew, and
    # as root the server runs as another user.
    with TemporaryDirectory(prefix="callplane-tests-") as folder:
        server = embedded.start(Path(folder) / "postgres", is_durable=False)
        yield server.url
        server.stop()


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a database with every migration applied."""
    name = f"template_{uuid4().hex}"
    _execute(server_url, f"CREATE DATABASE {name}")
    migrate(make_conninfo(server_url, dbname=name))
    yield name
    _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def url(server_url: str, template: str) -> Iterator[str]:
    """The address of a database that only this test sees."""
    name = f"test_{uuid4().hex}"
    _execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield make_conninfo(server_url, dbname=name)
    _execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """A pool on this test's database."""
    async with Database(url, size=5) as database:
        yield database


def _execute(server_url: str, statement: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement.encode())
