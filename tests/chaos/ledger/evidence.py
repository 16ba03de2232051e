"""All sources of one look, and which of their lines are about the same thing.

A call's A-leg has the call's own UUID, and every person of a run a number of their own; so a dialog is found among the
rows by number, and among the nodes' records by UUID or by number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tests.chaos.ledger.callers import Dialog, read_dialogs
from tests.chaos.ledger.commands import Command, read_commands
from tests.chaos.ledger.database import CallRow, LegRow, Tables, read_tables
from tests.chaos.ledger.ids import name_of, number_of
from tests.chaos.ledger.live_nodes import Address, LiveNode, ask_node
from tests.chaos.ledger.node_records import NodeLeg, NodeRecords, read_node_records
from tests.chaos.ledger.received import Received, read_received
from tests.chaos.ledger.run import Placement, Plan, Run, read_placements, read_plans, read_run
from tests.chaos.ledger.spools import SpoolFile, read_spool


@dataclass(frozen=True, slots=True)
class Problem:
    """A difference. `call` is its call's name (`cs_…`), None where there is none; `told` a sentence."""

    check: str
    call: str | None
    told: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A dialog, and what the database and the nodes have of it: one row and one record, if all is well."""

    dialog: Dialog
    rows: tuple[CallRow | LegRow, ...]
    records: tuple[NodeLeg, ...]
    is_lost: bool

    @property
    def call(self) -> str | None:
        """The name of its call, if there is one."""
        return name_of(self.rows[0].call) if self.rows else None


@dataclass(frozen=True)
class Evidence:
    """Everything that is known of a run."""

    run: Run
    dialogs: tuple[Dialog, ...] = ()
    placements: tuple[Placement, ...] = ()
    plans: tuple[Plan, ...] = ()
    records: NodeRecords = field(default_factory=NodeRecords)
    received: Received = field(default_factory=Received)
    tables: Tables = field(default_factory=Tables)
    nodes: tuple[LiveNode, ...] = ()
    spools: tuple[SpoolFile, ...] = ()
    commands: tuple[Command, ...] = ()

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every dialog with what belongs to it. `is_lost`: its node died, and no node has a record of it."""
        rows: dict[tuple[bool, str], list[CallRow | LegRow]] = defaultdict(list)
        for row in self.tables.calls:
            rows[row.is_inbound, number_of(row.from_number if row.is_inbound else row.to_number)].append(row)
        for leg in self.tables.legs:
            rows[False, number_of(leg.to_number)].append(leg)
        return tuple(self._pair(dialog, rows[dialog.is_caller, dialog.number]) for dialog in self.dialogs)

    def unseen_s(self, pair: Pair) -> float:
        """How wrong the platform may be about a leg that ended while nobody listened, if it says that it was lost."""
        dialog = pair.dialog
        if dialog.ended_at_s is None or not any(row.cause == "LOST" for row in pair.rows):
            return 0.0
        ended_s = self.run.unseen_s(dialog.ended_at_s)
        return max(ended_s, self.run.unseen_s(dialog.answered_at_s or 0.0)) if ended_s else 0.0

    def _pair(self, dialog: Dialog, rows: list[CallRow | LegRow]) -> Pair:
        records = [*dict.fromkeys(self._records_of(dialog, rows))]
        is_lost = not records and self.run.may_be_lost(dialog.node, dialog.invited_at_s, dialog.ended_at_s)
        return Pair(dialog, tuple(rows), tuple(records), is_lost)

    def _records_of(self, dialog: Dialog, rows: Iterable[CallRow | LegRow]) -> Iterator[NodeLeg]:
        for row in rows:
            yield from self._records_by_uuid.get(row.leg, ())
        yield from self._records_by_number.get((dialog.is_caller, dialog.number), ())

    @cached_property
    def _records_by_uuid(self) -> dict[str, list[NodeLeg]]:
        found: dict[str, list[NodeLeg]] = defaultdict(list)
        for record in self.records.legs:
            found[record.uuid].append(record)
        return found

    @cached_property
    def _records_by_number(self) -> dict[tuple[bool, str], list[NodeLeg]]:
        found: dict[tuple[bool, str], list[NodeLeg]] = defaultdict(list)
        for record in self.records.legs:
            found[record.is_inbound, record.from_number if record.is_inbound else record.to_number].append(record)
        return found


def gather(folder: Path, dsn: str, addresses: Iterable[Address], spools: Iterable[Path] = ()) -> Evidence:
    """Look at everything once; raises CannotLook.

    The database is read first: what is delivered meanwhile is then received and not yet known to be, not the reverse.
    """
    waiting = tuple(file for spool in spools for file in read_spool(spool))
    return evidence_in(folder, read_tables(dsn), tuple(ask_node(address) for address in addresses), waiting)


def evidence_in(
    folder: Path, tables: Tables, nodes: tuple[LiveNode, ...], spools: tuple[SpoolFile, ...] = ()
) -> Evidence:
    """What lies in a run's folder, beside what the others say; raises CannotLook."""
    return Evidence(
        read_run(folder),
        read_dialogs(folder),
        read_placements(folder),
        read_plans(folder),
        read_node_records(folder),
        read_received(folder),
        tables,
        nodes,
        spools,
        read_commands(folder),
    )
