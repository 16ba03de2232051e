from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import psycopg
import pytest

from controlplane.store.migrate import Migration, MigrationChanged, Phase, migrate, migrations

ONE = Migration("0001_pre_one.sql", Phase.PRE, "CREATE TABLE one (a integer)")
TWO = Migration("0002_post_two.sql", Phase.POST, "DROP TABLE one")


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return {name for (name,) in rows}


@pytest.fixture
def empty_url(fresh_url: Callable[[], str]) -> str:
    return fresh_url()


def test_every_migration_is_applied_once(empty_url: str) -> None:
    assert migrate(empty_url) == [migration.name for migration in migrations()]
    assert migrate(empty_url) == []
    assert {"accounts", "calls", "journal", "deliveries", "migrations"} <= tables(empty_url)


def test_post_migrations_wait_until_they_are_asked_for(empty_url: str) -> None:
    assert migrate(empty_url, Phase.PRE, known=[ONE, TWO]) == [ONE.name]
    assert tables(empty_url) == {"one", "migrations"}
    assert migrate(empty_url, Phase.POST, known=[ONE, TWO]) == [TWO.name]
    assert tables(empty_url) == {"migrations"}


def test_a_migration_that_changed_after_it_was_applied_stops_everything(empty_url: str) -> None:
    migrate(empty_url, known=[ONE])
    changed = Migration(ONE.name, Phase.PRE, "CREATE TABLE one (b integer)")
    with pytest.raises(MigrationChanged):
        migrate(empty_url, known=[changed, TWO])
    assert tables(empty_url) == {"one", "migrations"}


def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    broken = Migration("0001_pre_broken.sql", Phase.PRE, "CREATE TABLE half (a integer); SELECT 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_url, known=[broken])
    assert tables(empty_url) == {"migrations"}


def test_several_processes_migrate_at_once(empty_url: str) -> None:
    applied: list[list[str]] = []
    threads = [Thread(target=lambda: applied.append(migrate(empty_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied) == [[], [], [], [migration.name for migration in migrations()]]
