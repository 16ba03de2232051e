"""Migrations: numbered SQL files, forward only.

`NNNN_pre_*.sql` must suit the code that runs now and is applied before new code starts; `NNNN_post_*.sql` takes away
what no running code needs any more. A file that was applied must never change: its digest is kept and compared.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from importlib.resources import files
from typing import LiteralString

import psycopg

_NAME = re.compile(r"(?P<number>\d{4})_(?P<phase>pre|post)_[a-z0-9_]+\.sql\Z")
_LOCK = 0x63616C6C  # "call": one migrates, others wait
_TABLE: LiteralString = """
    CREATE TABLE IF NOT EXISTS migrations (
        name text PRIMARY KEY, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
"""


class Phase(Enum):
    """Which migrations to apply."""

    PRE = "pre"
    POST = "post"
    ALL = "all"


class MigrationChanged(Exception):
    """A migration that was applied here reads differently now."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    name: str
    phase: Phase
    text: str

    @property
    def digest(self) -> str:
        """What must not change once applied."""
        return sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration of this version, in order."""
    found = []
    for file in files(__package__).joinpath("migrations").iterdir():
        match = _NAME.match(file.name)
        if match is not None:
            found.append(Migration(file.name, Phase(match["phase"]), file.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.name)


def migrate(url: str, phase: Phase = Phase.ALL, *, known: list[Migration] | None = None) -> list[str]:
    """Apply what is missing, each in a transaction of its own; answer the names applied.

    Raises MigrationChanged before anything is applied if an old one differs. Several processes may call it at once.
    """
    known = migrations() if known is None else known
    applied_now = []
    with psycopg.connect(url, autocommit=True, application_name="callplane migrate") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        connection.execute(_TABLE)
        applied: dict[str, str] = dict(connection.execute("SELECT name, digest FROM migrations").fetchall())
        for migration in known:
            if applied.get(migration.name, migration.digest) != migration.digest:
                raise MigrationChanged(migration.name)
        for migration in known:
            if migration.name not in applied and phase in (Phase.ALL, migration.phase):
                _apply(connection, migration)
                applied_now.append(migration.name)
    return applied_now


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.text.encode())
        connection.execute("INSERT INTO migrations (name, digest) VALUES (%s, %s)", [migration.name, migration.digest])
