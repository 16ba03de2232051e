"""What an answered call writes to PostgreSQL, against one row that says all of it: commits, and bytes of its log (WAL).

Calls come in at a steady pace, are answered, say a sentence and are hung up on; other writes of the call server (its
heartbeat) are measured beside an idle one and taken off. What the checkpointer adds (whole pages, once after every
checkpoint) is counted too: a checkpoint is made before the calls that warm everything up.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg

from bench.application import XML, running_application
from bench.measurement import Measurement, Skipped, print_all
from bench.node import NUMBER, PASSWORD, LeanNode, lean_node
from bench.platform import DatabaseServer, running_call_servers, running_database

WARM, CALLS, PER_S, IDLE_S = 100, 400, 40, 8.0
ENDED_WITHIN_S = 30
STATISTICS_S = 1.2  # how late a backend may tell what it did (PGSTAT_MIN_INTERVAL, 1 s)
BODY = b"<Response><Say>Thank you for calling. We are closed today.</Say><Hangup/></Response>"
PEER = "one INSERT with its commit"
_CDR = """
    CREATE TABLE bench_cdr (
        call_id uuid PRIMARY KEY, account_id uuid, began_at timestamptz, answered_at timestamptz, ended_at timestamptz,
        direction text, from_number text, to_number text, status text, cause text, sip_call_id text, node text,
        data jsonb)
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What a database has written since it began."""

    commits: int
    wal_bytes: int
    pages: int
    at_s: float

    def minus(self, other: Written) -> Written:
        """What was written since another look."""
        took_s = self.at_s - other.at_s
        commits, pages = self.commits - other.commits, self.pages - other.pages
        return Written(commits, self.wal_bytes - other.wal_bytes, pages, took_s)


def measure() -> Iterator[Measurement]:
    """Commits and WAL of a call, and of one row."""
    with running_database() as (folder, database):
        calls, idle = asyncio.run(_calls(folder, database))
        rows = _rows(database)
    share = calls.at_s / idle.at_s
    commits = (calls.commits - idle.commits * share) / CALLS
    wal_bytes = (calls.wal_bytes - idle.wal_bytes * share) / CALLS
    row_commits, row_bytes = rows.commits / CALLS, rows.wal_bytes / CALLS
    yield Measurement(
        "database_commits_per_call", commits, "count", PEER, row_commits, commits / row_commits, aim="2 or less"
    )
    yield Measurement(
        "database_wal_per_call", wal_bytes, "bytes", PEER, row_bytes, wal_bytes / row_bytes, aim="3072 or less"
    )
    yield Measurement("database_whole_pages_per_call", calls.pages / CALLS, "count")


async def _calls(folder: Path, database: DatabaseServer) -> tuple[Written, Written]:
    async with AsyncExitStack() as stack:
        application = stack.enter_context(running_application({"/flow": (XML, BODY)}))
        node = stack.enter_context(lean_node())
        flows = {NUMBER: f"{application.url}/flow"}
        await stack.enter_async_context(running_call_servers(folder, database, node.address, PASSWORD, flows))
        database.execute("CHECKPOINT")
        await _perform(node, WARM)
        before = await _written(database)
        await _perform(node, CALLS)
        calls = (await _written(database)).minus(before)
        before = await _written(database)
        await asyncio.sleep(IDLE_S)
        return calls, (await _written(database)).minus(before)


async def _perform(node: LeanNode, count: int) -> None:
    answered = await node.ask("offer", count, float(PER_S))
    if answered < count:
        raise Skipped(f"{count - answered} of {count} calls were not answered: the machine is too busy")
    async with asyncio.timeout(ENDED_WITHIN_S):
        while await node.ask("count_calls"):  # noqa: ASYNC110 - calls end in another process
            await asyncio.sleep(0.1)


def _rows(database: DatabaseServer) -> Written:
    database.execute(_CDR)
    data = json.dumps({"verbs": ["say", "hangup"], "document": "http://app.example/flow", "milliseconds": 1234})
    row = ("inbound", "+15550001111", NUMBER, "completed", "NORMAL_CLEARING", str(uuid4()), "local", data)
    before = asyncio.run(_written(database))
    with psycopg.connect(database.url, autocommit=True) as connection:
        for _ in range(CALLS):
            connection.execute(
                "INSERT INTO bench_cdr VALUES (%s, %s, now(), now(), now(), %s, %s, %s, %s, %s, %s, %s, %s)",
                (uuid4(), uuid4(), *row),
            )
    return asyncio.run(_written(database)).minus(before)


async def _written(database: DatabaseServer) -> Written:
    await asyncio.sleep(STATISTICS_S)
    commits, wal_bytes, pages = database.ask(
        "SELECT xact_commit, wal_bytes::bigint, wal_fpi FROM pg_stat_database, pg_stat_wal"
        " WHERE datname = current_database()"
    )
    return Written(commits, wal_bytes, pages, time.monotonic())


if __name__ == "__main__":
    print_all(measure())
