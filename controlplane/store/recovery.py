"""What media nodes keep of answered legs in their core databases: FreeSWITCH's own table `recovery`, a database a node.

FreeSWITCH brings up every row that another run of it left (switch_core_sqldb.c, switch_core_recovery_recover), and then
deletes all of those; so a node is given what it is to bring up and nothing else, and nobody writes while it does.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import psycopg
from psycopg import AsyncConnection

from controlplane.esl.variables import Variable
from controlplane.store.connecting import connect, cut_after, is_quiet
from controlplane.store.database import DatabaseAway, Transaction, database_errors
from controlplane.store.queries import query

_LEFT, _PUT, _REWRITE = query("left_legs"), query("put_legs"), query("rewrite_leg")
_DROP, _DROP_STRANGE, _DROP_TASKS = query("drop_legs"), query("drop_strange_legs"), query("drop_tasks")
_LONGEST_S = 5.0
# What was so on the other node, and would be believed here: what ran there, and what our burst was sent last.
_STALE = re.compile(r"<(current_application\w*|callplane_sent)>[^<]*</\1>")
_PARKS = (Variable.PARK_AFTER_BRIDGE.value, Variable.PARK_ON_CANCEL.value)  # as switch/writing.py has a leg stay
_PARKS_ANYHOW = re.compile(rf"<({'|'.join(_PARKS)})>[^<]*</\1>")
_PARK = "".join(f"<{name}>true</{name}>" for name in _PARKS)
_BOND = re.compile(r"<((?:originate_)?signal_bond)>([^<]*)</\1>")


@dataclass(frozen=True, slots=True)
class LeftLeg:
    """A row: a leg that a run of FreeSWITCH left, and all it knew of it (XML)."""

    runtime_uuid: str
    technology: str
    profile_name: str
    hostname: str
    uuid: str
    metadata: str


def made_ready(legs: Sequence[LeftLeg], staying: Collection[str]) -> list[LeftLeg]:
    """The same legs without what is not so on another node: what ran there, and partners that do not come along.

    A leg waits for its partner for good where that never comes (switch_core_state_machine.c, on_reset). FreeSWITCH
    joins two who talked again: those of `staying` park when they part, also before anybody here can tell them to.
    """
    known = {leg.uuid for leg in legs}

    def bond(found: re.Match[str]) -> str:
        return found[0] if found[2] in known else ""

    def ready(leg: LeftLeg) -> LeftLeg:
        text = _BOND.sub(bond, _STALE.sub("", leg.metadata))
        if leg.uuid in staying and _BOND.search(text):
            text = _PARKS_ANYHOW.sub("", text).replace("<variables>", f"<variables>{_PARK}", 1)
        return replace(leg, metadata=text)

    return [ready(leg) for leg in legs]


class NodeDatabases:
    """The nodes' core databases; `url_of` says where a node's is. Everything raises DatabaseAway."""

    def __init__(self, url_of: Callable[[str], str]) -> None:
        self._url_of = url_of
        self._connections: dict[str, AsyncConnection[Any]] = {}

    async def copy(
        self, lost: tuple[str, str], to: tuple[str, str], legs: Collection[str], staying: Collection[str]
    ) -> frozenset[str]:
        """Have one (node, core) find what another left, `legs` among that; answers what there was.

        Those of `staying` outlast whoever they talk with.
        """
        async with self._open(lost[0]) as tx:
            rows = await tx.all(LeftLeg, _LEFT, core=lost[1], legs=sorted(legs))
        left = [leg for leg in rows if leg.runtime_uuid != to[1]]
        found = frozenset(leg.uuid for leg in left)
        ready = made_ready(left, staying)
        async with self._open(to[0]) as tx:
            await tx.run(_DROP_STRANGE, core=to[1], legs=sorted(found | set(legs)))
            if lost[0] == to[0]:
                await tx.run(_DROP_TASKS)
                for leg in ready:
                    await tx.run(_REWRITE, metadata=leg.metadata, uuid=leg.uuid, core=leg.runtime_uuid)
            elif ready:
                await tx.run(_PUT, **_columns(ready))
        return found

    async def drop(self, lost: tuple[str, str], legs: Collection[str]) -> None:
        """Take everything that a (node, core) left out of its database, and these legs."""
        async with self._open(lost[0]) as tx:
            await tx.run(_DROP, core=lost[1], legs=sorted(legs))
            await tx.run(_DROP_TASKS)

    async def close(self) -> None:
        """Give every connection back."""
        for connection in self._connections.values():
            await connection.close()
        self._connections.clear()

    @asynccontextmanager
    async def _open(self, node: str) -> AsyncIterator[Transaction]:
        """A transaction on a node's database, whose connection is kept for the next: every moment counts then."""
        with database_errors():
            connection = await self._connection(node)
            try:
                with cut_after(connection, _LONGEST_S):
                    async with connection.transaction():
                        yield Transaction(connection)
            except psycopg.errors.UndefinedTable:
                raise DatabaseAway from None
            finally:
                if connection.broken:
                    self._connections.pop(node, None)

    async def _connection(self, node: str) -> AsyncConnection[Any]:
        known = self._connections.get(node)
        if known is not None and is_quiet(known):
            return known
        self._connections.pop(node, None)
        try:
            self._connections[node] = await connect(self._url_of(node), "callplane failover")
        except OSError as error:
            raise DatabaseAway from error
        return self._connections[node]


def _columns(legs: Sequence[LeftLeg]) -> dict[str, object]:
    rows = [asdict(leg) for leg in legs]
    return {name: [row[name] for row in rows] for name in rows[0]}
