"""How long a call lasted, by three clocks: the caller's, the media node's, and the database's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tests.chaos.ledger.callers import Dialog
from tests.chaos.ledger.database import CallRow, LegRow
from tests.chaos.ledger.evidence import Evidence, Pair, Problem
from tests.chaos.ledger.node_records import NodeLeg

WITHIN_S = 1.0
HEARTBEAT_S = 10.0  # a node that died was last known to be alive so long ago, at most


def durations_agree(evidence: Evidence) -> Iterator[Problem]:
    """Talking time, from answer to end: within a second, or within a heartbeat where the node died."""
    for pair in evidence.pairs:
        if pair.dialog.answered_at_s is None:
            continue
        within_s = HEARTBEAT_S if pair.is_lost else WITHIN_S + evidence.unseen_s(pair)
        for (one, one_s), (other, other_s) in combinations(_spans(evidence, pair), 2):
            if abs(one_s - other_s) > within_s:
                told = f"{one} lasted {one_s:.2f} s, {other} {other_s:.2f} s"
                yield Problem("durations-differ", pair.call, f"{told}: more than {within_s:g} s apart")


def lost_calls_lasted_until_their_node_died(evidence: Evidence) -> Iterator[Problem]:
    """What a heartbeat may hide of a duration is at its end: the answer was told at once, and nobody had hung up."""
    fault_at_s = evidence.run.fault_at_s
    for pair in evidence.pairs:
        answered_at_s = pair.dialog.answered_at_s
        if not pair.is_lost or answered_at_s is None or fault_at_s is None:
            continue
        for row in pair.rows[:1]:
            if row.answered_at_s is not None and abs(row.answered_at_s - answered_at_s) > WITHIN_S:
                told = f"{pair.dialog} was answered {row.answered_at_s - answered_at_s:+.2f} s from when {row} says"
                yield Problem("lost-at-another-time", pair.call, told)
            if row.ended_at_s is not None and row.ended_at_s < fault_at_s - WITHIN_S:
                told = f"{row} ended {fault_at_s - row.ended_at_s:.2f} s before its node died with {pair.dialog}"
                yield Problem("lost-at-another-time", pair.call, told)


def _spans(evidence: Evidence, pair: Pair) -> Iterator[tuple[str, float]]:
    """Who says how long, as far as it is said; what has not ended is rest.py's."""
    dialog, fault_at_s = pair.dialog, evidence.run.fault_at_s
    end_s = dialog.ended_at_s
    if pair.is_lost and fault_at_s is not None:
        end_s = fault_at_s if end_s is None else min(end_s, fault_at_s)
    if end_s is not None:
        yield f"{dialog}'s talk", _span(dialog, max(end_s, dialog.answered_at_s or 0.0))
    for record in pair.records:
        yield f"{record}, by its record,", _span(record, record.ended_at_s)
    for row in pair.rows[:1]:
        if row.ended_at_s is not None:
            yield f"{row}, by its row,", _span(row, row.ended_at_s)


def _span(told: Dialog | NodeLeg | CallRow | LegRow, end_s: float) -> float:
    return end_s - told.answered_at_s if told.answered_at_s is not None else 0.0
