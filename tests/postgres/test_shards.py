from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import psycopg
import pytest

from controlplane.store.shards import SHARDS, SessionLost, ShardLocks
from tests.postgres.sample import rows

Make = Callable[[str], Awaitable[tuple[ShardLocks, asyncio.Event]]]
ALL = range(SHARDS)


@pytest.fixture
async def make(url: str) -> AsyncIterator[Make]:
    made: list[ShardLocks] = []

    async def make_one(server_id: str) -> tuple[ShardLocks, asyncio.Event]:
        lost = asyncio.Event()
        # No heartbeat while a test runs: it is not what notices anything here.
        locks = ShardLocks(url, server_id, on_lost=lost.set, beat_s=3600, answer_timeout_s=60, dead_after_s=60)
        made.append(locks)
        await locks.open()
        return locks, lost

    yield make_one
    for locks in made:
        await locks.close()


async def take_in_the_end(locks: ShardLocks) -> None:
    """Take every shard of fs1. A session that was ended lets go of them when its process comes to it."""
    while len(locks.owned) < SHARDS:
        await locks.try_take("fs1", ALL)


def end_session_of(url: str, server_id: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(backend_pid, 5000) FROM call_servers WHERE server_id = %s", [server_id]
        )


async def test_a_shard_has_one_owner(make: Make) -> None:
    (one, _), (two, _) = await make("one"), await make("two")
    assert await one.try_take("fs1", [0, 1, 2]) == {0, 1, 2}
    assert await two.try_take("fs1", [1, 2, 3]) == {3}
    assert await two.try_take("fs2", [1]) == {1}
    assert one.owned == {("fs1", 0), ("fs1", 1), ("fs1", 2)}
    assert two.owned == {("fs1", 3), ("fs2", 1)}


async def test_a_shard_taken_twice_is_free_after_one_release(make: Make) -> None:
    (one, _), (two, _) = await make("one"), await make("two")
    assert await one.try_take("fs1", [7]) == {7}
    assert await one.try_take("fs1", [7]) == frozenset()
    await one.release("fs1", [7, 8])
    assert await two.try_take("fs1", [7, 8]) == {7, 8}


async def test_a_server_that_leaves_frees_its_shards(make: Make) -> None:
    (one, _), (two, _) = await make("one"), await make("two")
    await one.try_take("fs1", ALL)
    await one.close()
    assert await two.try_take("fs1", ALL) == set(ALL)
    assert await two.live_servers() == ["two"]


async def test_the_end_of_a_session_is_noticed_at_once_and_frees_its_shards(make: Make, url: str) -> None:
    (one, lost), (two, _) = await make("one"), await make("two")
    await one.try_take("fs1", ALL)
    end_session_of(url, "one")
    await lost.wait()
    assert one.owned == frozenset()
    assert await two.live_servers() == ["two"]  # long before its heartbeat is missed
    with pytest.raises(SessionLost):
        await one.try_take("fs1", ALL)
    assert await two.try_take("fs1", ALL) == set(ALL)


async def test_a_server_that_lost_its_session_may_begin_again(make: Make, url: str) -> None:
    one, lost = await make("one")
    await one.try_take("fs1", [1])
    end_session_of(url, "one")
    await lost.wait()
    await one.open()
    assert await one.try_take("fs1", [1]) == {1}


async def test_a_server_that_hangs_is_fenced_by_its_peers(make: Make, url: str) -> None:
    (one, lost), (two, _) = await make("one"), await make("two")
    await one.try_take("fs1", ALL)
    rows(url, "UPDATE call_servers SET last_seen = now() - interval '1 hour' WHERE server_id = 'one' RETURNING 1")
    assert await two.live_servers() == ["two"]
    assert await two.fence() == ["one"]
    await lost.wait()
    assert not two.may_be_driven
    await take_in_the_end(two)
    assert two.may_be_driven
    assert await two.fence() == []
    with pytest.raises(SessionLost):
        await one.confirm()
    await one.open()
    assert await one.live_servers() == ["one", "two"]
    await two.release("fs1", [1])
    assert await one.try_take("fs1", [1]) == {1}
    assert not one.may_be_driven


async def test_fencing_spares_a_stranger_with_the_same_process_number(make: Make, url: str) -> None:
    two, _ = await make("two")
    stranger = psycopg.connect(url, autocommit=True)
    with stranger, psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO call_servers (server_id, backend_pid, backend_start, last_seen) "
            "VALUES ('dead', %s, now() - interval '1 day', now() - interval '1 day')",
            [stranger.info.backend_pid],
        )
        connection.commit()
        assert await two.fence() == ["dead"]
        assert stranger.execute("SELECT 1").fetchone() == (1,)
    await two.try_take("fs1", [1])
    assert not two.may_be_driven


async def test_shards_are_lost_when_the_database_cannot_be_reached() -> None:
    locks = ShardLocks("postgresql://127.0.0.1:1/none", "one", on_lost=lambda: None)
    with pytest.raises(SessionLost):
        await locks.open()


async def test_a_server_that_its_peers_took_for_dead_cannot_confirm_its_shards(make: Make, url: str) -> None:
    """Its row goes before its session does: between the two it holds the locks and is dead all the same."""
    (one, lost), (two, _) = await make("one"), await make("two")
    await one.try_take("fs1", ALL)
    await one.confirm()
    rows(url, "DELETE FROM call_servers WHERE server_id = 'one' RETURNING 1")
    with pytest.raises(SessionLost):
        await one.confirm()
    await lost.wait()
    assert one.owned == frozenset()
    await take_in_the_end(two)


async def test_a_server_that_comes_back_ends_the_session_it_had(make: Make) -> None:
    """A session that was cut off on our side holds its locks until PostgreSQL finds out, too."""
    (first, _) = await make("one")
    await first.try_take("fs1", ALL)
    again = (await make("one"))[0]
    assert await again.try_take("fs1", ALL) == set(ALL)


@pytest.mark.parametrize(("dead_after_s", "missing"), [(1e9, ["one"]), (0, [])])
async def test_who_may_come_back_is_known_for_a_while_after_the_database_began_anew(
    make: Make, url: str, dead_after_s: float, missing: list[str]
) -> None:
    await make("one")
    await make("two")
    rows(url, "UPDATE call_servers SET backend_start = now() WHERE server_id = 'one' RETURNING 1")
    locks = ShardLocks(url, "newcomer", on_lost=lambda: None, dead_after_s=dead_after_s)
    await locks.open()
    assert await locks.missing_servers() == missing
    await locks.close()


class Breaking(ShardLocks):
    """Falls over a defect at its first beat."""

    async def confirm(self) -> None:
        raise ZeroDivisionError


async def test_a_server_whose_beat_breaks_knows_it_before_it_is_fenced(url: str) -> None:
    lost = asyncio.Event()
    locks = Breaking(url, "one", on_lost=lost.set, beat_s=3600)
    await locks.open()
    await locks.try_take("fs1", [1])
    await asyncio.wait_for(lost.wait(), 10)
    assert locks.owned == frozenset()
    await locks.close()
