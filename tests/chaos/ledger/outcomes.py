"""Calls go on: each that was planned is made, answered, and comes to the end that its documents have it come to.

A platform that refused every call, or ended each at the first trouble, could keep books that balance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.ledger.callbacks import FINAL
from tests.chaos.ledger.evidence import Evidence, Pair, Problem
from tests.chaos.ledger.ids import number_of
from tests.chaos.ledger.run import Placement, Plan

_BEGINS_S = 2.0  # how long after its time a call may begin: what came in between came before it


def every_plan_is_carried_out(evidence: Evidence) -> Iterator[Problem]:
    """Whoever was to call did, unless the node was not there; whoever called was answered."""
    pairs = _by_person(evidence)
    taken = {number_of(one.to_number): one for one in evidence.placements if 200 <= one.status < 300}
    for plan in evidence.plans:
        pair = pairs.get((plan.is_caller, plan.number))
        if pair is not None:
            yield from _not_answered(evidence, pair)
        elif (plan.is_caller or plan.number in taken) and not evidence.run.may_refuse(plan.at_s, plan.at_s + _BEGINS_S):
            what = "call" if plan.is_caller else "be called"
            yield Problem("not-made", None, f"{plan.number} was to {what}, and nobody knows of any such call")


def _not_answered(evidence: Evidence, pair: Pair) -> Iterator[Problem]:
    dialog = pair.dialog
    is_excused = pair.is_lost or evidence.run.may_refuse(dialog.invited_at_s, dialog.ended_at_s)
    if dialog.answered_at_s is None and not is_excused and not _may_break_off(evidence, pair):
        yield Problem("not-answered", pair.call, f"{dialog} should have been answered, and met with {_end_of(pair)}")


def calls_go_on(evidence: Evidence) -> Iterator[Problem]:
    """A call that was answered asks for each of its documents and is recorded; its telephone answers and is told of.

    A node records on whatever happens to our servers, and what it recorded until it died is kept if another goes on
    with the call (controlplane/ARCHITECTURE.md, "The door, and who drives a call"). So a recording is completed, with a
    duration, unless the call was lost with its node or its application could not be asked.
    """
    pairs, asked = _by_person(evidence), defaultdict[str, list[str]](list)
    for request in evidence.received.requests:
        asked[request.call].append(request.path)
    for plan in evidence.plans:
        pair = pairs.get((plan.is_caller, plan.number))
        if pair is None or not pair.rows or pair.dialog.answered_at_s is None or _may_break_off(evidence, pair):
            continue
        for missing in _missing(evidence, plan, pair, asked[pair.rows[0].call], pairs):
            told = f"{pair.dialog} was answered, and {missing}: the call did not go on ({_end_of(pair)})"
            yield Problem("broken-off", pair.call, told)


def _missing(
    evidence: Evidence, plan: Plan, pair: Pair, asked: list[str], pairs: dict[tuple[bool, str], Pair]
) -> Iterator[str]:
    paths = [path for path in plan.asks if path not in asked]
    if paths:
        yield f"nobody asked for {' and '.join(paths)}"
    rung = pairs.get((False, plan.rings)) if plan.rings is not None else pair
    if rung is None or rung.dialog.answered_at_s is None:
        yield f"the telephone {plan.rings} was not to be had"
    elif "completed" in plan.calls_back and rung.rows and not _is_end_called_back(evidence, rung):
        yield f"no callback told the end of the leg to {plan.rings}"
    if plan.is_recorded and pair.rows[0].call not in evidence.tables.recorded:
        yield "no recording of it is kept"


def _is_end_called_back(evidence: Evidence, rung: Pair) -> bool:
    legs = {row.leg for row in rung.rows}
    return any(one.leg in legs and one.status in FINAL and one.is_taken for one in evidence.received.callbacks)


def _may_break_off(evidence: Evidence, pair: Pair) -> bool:
    dialog = pair.dialog
    return pair.is_lost or evidence.run.may_break_off(dialog.invited_at_s, dialog.ended_at_s)


def the_api_takes_calls(evidence: Evidence) -> Iterator[Problem]:
    """A request is refused only while nothing can be put on record, and the answer says when to come again."""
    for one in evidence.placements:
        if 200 <= one.status < 300:
            continue
        if not evidence.run.may_not_write(one.asked_at_s, one.answered_at_s):
            told = f"the API answered {one.status} to a call to {one.to_number}, and nothing was in its way"
            yield Problem("placement-refused", None, told)
        elif one.status and not _says_when(one):
            told = f"the API answered {one.status} to a call to {one.to_number}, Retry-After {one.retry_after!r}"
            yield Problem("placement-refused", None, f"{told}: it should be 503, and say when to come again")


def _says_when(placement: Placement) -> bool:
    return placement.status == 503 and placement.retry_after.isdecimal() and int(placement.retry_after) > 0


def _by_person(evidence: Evidence) -> dict[tuple[bool, str], Pair]:
    return {(pair.dialog.is_caller, pair.dialog.number): pair for pair in evidence.pairs}


def _end_of(pair: Pair) -> str:
    row = pair.rows[0] if pair.rows else None
    inside = "no row" if row is None else f"cause {row.cause}"
    return f"status {pair.dialog.final_status}, ended by {pair.dialog.ended_by}, {inside}"
