"""What the call server must know of lost media nodes, kept in PostgreSQL; and an operator's own way to fence."""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from controlplane.base.errors import BadInput
from controlplane.base.ids import LegId
from controlplane.callserver.losses import Core
from controlplane.settings import Settings
from controlplane.store import node_cores
from controlplane.store.database import Database
from controlplane.store.node_cores import NodeCore
from controlplane.store.recovery import NodeDatabases

log = logging.getLogger(__name__)

FENCE_WITHIN_S = 5.0


@dataclass(slots=True)
class DatabaseCores:
    """One query or transaction each."""

    db: Database

    async def enter(self, node: str, core: str) -> bool:
        async with self.db.transaction() as tx:
            return await node_cores.see_core(tx, node, core)

    async def known(self) -> Sequence[Core]:
        async with self.db.autocommit() as tx:
            return [_core(row) for row in await node_cores.known_cores(tx)]

    async def declare_lost(self, node: str, core: str, *, unseen_s: float) -> bool:
        async with self.db.autocommit() as tx:
            return await node_cores.lose_core(tx, node, core, unseen_s=unseen_s)

    async def lead(self, core: Core, server: str) -> Core | None:
        async with self.db.autocommit() as tx:
            row = await node_cores.lead_core(tx, core.node, core.uuid, server)
        return _core(row) if row is not None else None

    async def a_legs(self, node: str) -> frozenset[LegId]:
        async with self.db.autocommit() as tx:
            return frozenset(LegId(str(leg)) for leg in await node_cores.a_legs_of(tx, node))

    async def adopt(self, core: Core, server: str, by: Core, legs: Collection[LegId]) -> bool:
        async with self.db.transaction() as tx:
            return await node_cores.adopt_core(tx, (core.node, core.uuid), server, (by.node, by.uuid), legs)

    async def settle(self, core: Core, server: str, legs: Collection[LegId]) -> bool:
        async with self.db.transaction() as tx:
            return await node_cores.settle_core(tx, core.node, core.uuid, server, legs)


def _core(row: NodeCore) -> Core:
    return Core(
        row.node,
        str(row.core),
        row.lost_s,
        row.is_settled,
        row.adopting_node or "",
        str(row.adopting_core or ""),
        frozenset(LegId(str(leg)) for leg in row.legs),
    )


@dataclass(slots=True)
class PostgresCoreDatabases:
    """Nodes that keep their answered legs in PostgreSQL."""

    databases: NodeDatabases

    async def copy(self, lost: Core, to: Core, *, staying: Collection[LegId]) -> frozenset[LegId]:
        found = await self.databases.copy((lost.node, lost.uuid), (to.node, to.uuid), lost.legs, staying)
        return frozenset(map(LegId, found))

    async def close(self) -> None:
        await self.databases.close()

    async def drop(self, lost: Core, legs: Collection[LegId]) -> None:
        await self.databases.drop((lost.node, lost.uuid), legs)


def core_databases_of(settings: Settings) -> PostgresCoreDatabases | None:
    """Where nodes keep answered legs; None where they do not. Raises BadInput."""
    if settings.core_databases is None:
        return None
    pattern = settings.core_databases.get_secret_value()
    if "{node}" not in pattern or not pattern.startswith("postgresql://"):
        raise BadInput("CALLPLANE_CORE_DATABASES: postgresql://… with {node} in it, a database for each node")
    return PostgresCoreDatabases(NodeDatabases(lambda node: pattern.replace("{node}", node)))


@dataclass(frozen=True, slots=True)
class CommandFencer:
    """Runs a program of the operator's with the node's name behind its arguments; it must end with status 0."""

    command: str

    async def fence(self, node: str) -> bool:
        try:
            process = await asyncio.create_subprocess_exec(
                *shlex.split(self.command), node, stdin=asyncio.subprocess.DEVNULL
            )
        except (OSError, ValueError) as error:
            log.error("fence_command_failed", extra={"node": node, "problem": str(error)})
            return False
        try:
            status = await asyncio.wait_for(process.wait(), FENCE_WITHIN_S)
        except TimeoutError:
            process.kill()
            status = await process.wait()
        if status:
            log.error("fence_command_failed", extra={"node": node, "status": status})
        return status == 0
