"""What media nodes keep of answered legs, given from one to another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import psycopg
import pytest

from controlplane.store.database import DatabaseAway
from controlplane.store.recovery import LeftLeg, NodeDatabases, made_ready

# switch_core_sqldb.c, recovery_sql
_TABLE = """CREATE TABLE recovery (
   runtime_uuid    VARCHAR(255),
   technology      VARCHAR(255),
   profile_name    VARCHAR(255),
   hostname        VARCHAR(255),
   uuid            VARCHAR(255),
   metadata        text
)"""
LOST, NEXT = ("n1", "core-1"), ("n2", "core-2")


def leg(uuid: str, core: str = "core-1", metadata: str = "<cdr/>") -> LeftLeg:
    return LeftLeg(core, "sofia", "internal", "n1", uuid, metadata)


class Nodes:
    """Two nodes' databases."""

    def __init__(self, fresh_url: Callable[[], str]) -> None:
        self.urls = {"n1": fresh_url(), "n2": fresh_url()}
        for url in self.urls.values():
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(_TABLE)
                connection.execute("CREATE TABLE tasks (task_id INTEGER, task_group VARCHAR(255))")
                connection.execute("INSERT INTO tasks VALUES (1, 'a')")
        self.databases = NodeDatabases(self.urls.__getitem__)

    def put(self, node: str, *legs: LeftLeg) -> None:
        with psycopg.connect(self.urls[node], autocommit=True) as connection:
            for one in legs:
                connection.execute(
                    "INSERT INTO recovery VALUES (%s, %s, %s, %s, %s, %s)",
                    [one.runtime_uuid, one.technology, one.profile_name, one.hostname, one.uuid, one.metadata],
                )

    def count_tasks(self, node: str) -> int:
        with psycopg.connect(self.urls[node], autocommit=True) as connection:
            return len(connection.execute("SELECT task_id FROM tasks").fetchall())

    def of(self, node: str) -> list[LeftLeg]:
        with psycopg.connect(self.urls[node], autocommit=True) as connection:
            rows = connection.execute(
                "SELECT runtime_uuid, technology, profile_name, hostname, uuid, metadata FROM recovery ORDER BY uuid"
            )
            return [LeftLeg(*row) for row in rows]


@pytest.fixture
async def nodes(fresh_url: Callable[[], str]) -> AsyncIterator[Nodes]:
    made = Nodes(fresh_url)
    yield made
    await made.databases.close()


async def test_a_lost_cores_legs_are_given_to_the_next_and_taken_from_it(nodes: Nodes) -> None:
    nodes.put("n1", leg("a"), leg("b"), leg("c", "an-earlier-core"))
    nodes.put("n2", leg("own", "core-2"), leg("strange", "core-0"))
    for _ in range(2):  # whoever did it may have died before it was on record
        assert await nodes.databases.copy(LOST, NEXT, (), ()) == {"a", "b"}
        assert nodes.of("n2") == [leg("a"), leg("b"), leg("own", "core-2")]
    await nodes.databases.drop(LOST, ["a", "b"])
    assert nodes.of("n1") == [leg("c", "an-earlier-core")]
    assert (nodes.count_tasks("n1"), nodes.count_tasks("n2")) == (0, 1)


async def test_legs_that_were_given_to_the_lost_core_and_did_not_come_up_go_on_with_it(nodes: Nodes) -> None:
    nodes.put("n1", leg("a"), leg("brought", "core-0"))
    assert await nodes.databases.copy(LOST, NEXT, ["brought"], ()) == {"a", "brought"}
    assert nodes.of("n2") == [leg("a"), leg("brought", "core-0")]


async def test_a_leg_that_came_up_there_already_is_not_given_again(nodes: Nodes) -> None:
    nodes.put("n1", leg("a"))
    nodes.put("n2", leg("a", "core-2"))
    assert await nodes.databases.copy(LOST, NEXT, (), ()) == {"a"}
    assert nodes.of("n2") == [leg("a", "core-2")]


async def test_a_node_that_was_restarted_keeps_its_own_made_ready(nodes: Nodes) -> None:
    nodes.put("n1", leg("a", metadata="<v><callplane_sent>x</callplane_sent></v>"), leg("new", "core-3"))
    assert await nodes.databases.copy(LOST, ("n1", "core-3"), (), ()) == {"a"}
    assert nodes.of("n1") == [leg("a", metadata="<v></v>"), leg("new", "core-3")]


async def test_a_database_that_is_not_there_or_not_a_nodes_is_away(nodes: Nodes, fresh_url: Callable[[], str]) -> None:
    nodes.urls["n2"] = fresh_url()
    with pytest.raises(DatabaseAway):
        await nodes.databases.copy(LOST, NEXT, (), ())
    nodes.urls["n3"] = "postgresql://127.0.0.1:1/nothing"
    with pytest.raises(DatabaseAway):
        await nodes.databases.drop(("n3", "core-3"), ())


def test_what_ran_on_the_other_node_and_partners_that_stay_behind_are_forgotten() -> None:
    text = (
        "<variables>\n<current_application>playback</current_application>"
        "<current_application_data>/a</current_application_data><callplane_sent>x</callplane_sent>"
        "<callplane_call>y</callplane_call><signal_bond>{}</signal_bond>\n</variables>"
    )
    kept = "<variables>\n<callplane_call>y</callplane_call>{}\n</variables>"
    legs = [leg("a", metadata=text.format("b")), leg("b", metadata=text.format("gone"))]
    assert made_ready(legs, ["b"]) == [
        leg("a", metadata=kept.format("<signal_bond>b</signal_bond>")),
        leg("b", metadata=kept.format("")),
    ]
