"""The tenant is told of what telephones went through, by the telephones' own logs, not by what the engine listed.

Of whoever was answered it is told that the call (or leg) was initiated, that it rang where the telephone did, that it
was answered, and that it completed. This much may be missing, and no more:

* of a leg whose node died: that it rang or was answered, if that was less than 2 s before (nobody had it on record);
* of a leg that rang while nobody listened to its node: that it rang (whoever listens next finds what it is, not what it
  was);
* of a leg that was answered and ended while nobody listened: that it was answered. It counts as failed then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.ledger.evidence import Evidence, Pair, Problem
from tests.chaos.ledger.run import Plan

_NOT_KNOWN_S = 2.0  # what a node took with it when it died: news is put on record at once
# What is asked for of a telephone, and the status that tells it; the end has several.
_CALLED_BACK = {"initiated": "initiated", "ringing": "ringing", "answered": "in-progress"}


def who_was_answered_is_told_of(evidence: Evidence) -> Iterator[Problem]:
    """Each event of these was taken by the tenant's server."""
    told: dict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    for one in evidence.received.events:
        if one.is_taken:
            told[one.call, one.leg].add(one.kind)
    for plan, pair, is_rung in _answered(evidence):
        if not plan.is_told:
            continue
        whose = "leg" if is_rung else "call"
        known = {kind for row in pair.rows for kind in told[row.call, row.leg if is_rung else None]}
        for kinds in _expected(evidence, pair):
            if known.isdisjoint(f"{whose}.{kind}" for kind in kinds):
                kind = " or ".join(f"{whose}.{kind}" for kind in kinds)
                yield Problem("not-told", pair.call, f"{pair.dialog} was answered, and nobody was told {kind}")


def telephones_are_called_back(evidence: Evidence) -> Iterator[Problem]:
    """The same for the status callbacks that were asked for; their ends are outcomes.py's."""
    told: dict[str | None, set[str]] = defaultdict(set)
    for one in evidence.received.callbacks:
        if one.is_taken:
            told[one.leg].add(one.status)
    for plan, pair, is_rung in _answered(evidence):
        if not is_rung:
            continue
        known = {status for row in pair.rows for status in told[row.leg]}
        for (kind,) in (kinds for kinds in _expected(evidence, pair) if len(kinds) == 1):
            if kind in plan.calls_back and kind in _CALLED_BACK and _CALLED_BACK[kind] not in known:
                sentence = f"{pair.dialog} was answered, and no callback told that it was {kind}"
                yield Problem("not-called-back", pair.call, sentence)


def recordings_are_told_of(evidence: Evidence) -> Iterator[Problem]:
    """So was each recording that is kept."""
    told = {one.call for one in evidence.received.events if one.is_taken and one.kind == "recording.completed"}
    for plan, pair, _ in _answered(evidence):
        call = pair.rows[0].call
        if plan.is_recorded and plan.is_told and call in evidence.tables.recorded and call not in told:
            sentence = f"what {pair.dialog} said is kept, and nobody was told recording.completed"
            yield Problem("not-told", pair.call, sentence)


def _answered(evidence: Evidence) -> Iterator[tuple[Plan, Pair, bool]]:
    """Everybody of a plan who was answered and has a row, and whether it is the telephone that was to ring."""
    pairs = {(pair.dialog.is_caller, pair.dialog.number): pair for pair in evidence.pairs}
    for plan in evidence.plans:
        for key, is_rung in (((plan.is_caller, plan.number), False), ((False, plan.rings or ""), True)):
            pair = pairs.get(key)
            if pair is not None and pair.rows and pair.dialog.answered_at_s is not None:
                yield plan, pair, is_rung


def _expected(evidence: Evidence, pair: Pair) -> Iterator[tuple[str, ...]]:
    """What must have been told of whoever was answered: one of each."""
    dialog = pair.dialog
    yield ("initiated",)
    rang_at_s = dialog.ringing_at_s
    if rang_at_s is not None and _is_known(evidence, pair, rang_at_s) and not evidence.run.unseen_s(rang_at_s):
        yield ("ringing",)
    answered_at_s = dialog.answered_at_s or 0.0
    was_unseen = evidence.unseen_s(pair) and evidence.run.unseen_s(answered_at_s)
    if was_unseen or not _is_known(evidence, pair, answered_at_s):
        yield ("completed", "failed")
    else:
        yield ("answered",)
        yield ("completed",)


def _is_known(evidence: Evidence, pair: Pair, at_s: float) -> bool:
    """Say whether news of that time outlived the leg's node."""
    fault_at_s = evidence.run.fault_at_s
    return not pair.is_lost or (fault_at_s is not None and fault_at_s - at_s >= _NOT_KNOWN_S)
