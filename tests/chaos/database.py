"""A PostgreSQL server of a run's own, which can be stopped and started again, and its one database."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo

from controlplane.store import embedded
from controlplane.store.migrate import migrate

NAME = "chaos"
# What stays between two runs: who the tenant is, and the processes that are there.
_KEPT = ("migrations", "accounts", "api_keys", "secrets", "apps", "numbers", "call_servers")


@dataclass(slots=True)
class DatabaseServer:
    """The server; `url` leads to the database."""

    server: embedded.Embedded
    url: str

    @classmethod
    async def start(cls, folder: Path) -> DatabaseServer:
        """A new server in a folder, with the database made and migrated."""
        server = await asyncio.to_thread(embedded.start, folder, is_durable=False)
        with psycopg.connect(server.url, autocommit=True) as connection:
            # What was committed must be there after the server was ended at once; a power cut nobody makes here.
            connection.execute("ALTER ROLE CURRENT_USER SET synchronous_commit TO on")
            connection.execute(f"CREATE DATABASE {NAME}")
            # The server may lose what the machine loses, but nothing that it said is committed when it is killed.
            connection.execute(f"ALTER DATABASE {NAME} SET synchronous_commit = on")
        url = make_conninfo(server.url, dbname=NAME)
        await asyncio.to_thread(migrate, url)
        return cls(server, url)

    async def stop(self) -> None:
        """End the server for good."""
        await asyncio.to_thread(self.server.stop)

    async def halt(self) -> None:
        """End the server and all its sessions at once."""
        data = str(self.server.folder / "data")
        await asyncio.to_thread(embedded._run, "pg_ctl", "-w", "-D", data, "-m", "immediate", "stop")

    async def go_on(self) -> None:
        """Start it again where it was."""
        data = self.server.folder / "data"
        options = shlex.split((data / "postmaster.opts").read_text())[1:]
        place = options.index("-D")
        text = " ".join(f"'{option}'" for option in options[:place] + options[place + 2 :])
        log = str(self.server.folder / "log")
        await asyncio.to_thread(embedded._run, "pg_ctl", "-w", "-D", str(data), "-l", log, "-o", text, "start")

    async def cut_connections(self) -> None:
        """End every session but this one."""
        await self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )

    async def execute(self, statement: LiteralString) -> None:
        """Run a statement."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            await connection.execute(statement)

    async def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """What a statement answers."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            return await (await connection.execute(statement, values)).fetchall()

    async def empty(self) -> None:
        """Take out what calls have left."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
            found = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            tables = [name for (name,) in await found.fetchall() if name not in _KEPT]
            await connection.execute(f"TRUNCATE {', '.join(tables)}".encode())
