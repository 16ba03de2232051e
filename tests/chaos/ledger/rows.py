"""Each call has one row and one verdict, and each row a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.chaos.ledger.database import CallRow
from tests.chaos.ledger.evidence import Evidence, Pair, Problem
from tests.chaos.ledger.ids import name_of, number_of, uuid_of

FINAL_EVENTS = ("call.completed", "call.failed")
_FINAL_STATUSES = ("completed", "busy", "no-answer", "failed", "canceled")
_LOST = ("LOST", "NODE_LOST")
_TOO_MUCH = "SWITCH_CONGESTION"
_ANSWERED_BUT_NOT_KNOWN_S = 2.0  # what a node took with it when it died: an answer is told at once


def every_dialog_has_its_row(evidence: Evidence) -> Iterator[Problem]:
    """One row for each caller that was not refused with good reason, and for each telephone that was dialled."""
    for pair in evidence.pairs:
        dialog, found = pair.dialog, len(pair.rows)
        if found > 1 and dialog.is_caller:
            names = ", ".join(name_of(row.call) for row in pair.rows)
            yield Problem("caller-with-several-rows", pair.call, f"{dialog} called once and has {found} rows: {names}")
        elif not found and dialog.is_caller:
            yield from _without_row(evidence, pair)
        elif not found and not pair.is_lost:
            yield Problem(
                "telephone-without-row", None,
                f"{dialog} was invited by {dialog.from_number} ({_status(pair)}), and no call or leg was to ring it",
            )  # fmt: skip


def _without_row(evidence: Evidence, pair: Pair) -> Iterator[Problem]:
    dialog = pair.dialog
    if dialog.answered_at_s is not None:
        told = (
            f"{dialog} was answered ({_status(pair)}) when calling {dialog.to_number}, and there is no row of the call"
        )
        yield Problem("caller-without-row", None, told)
    elif not _is_excused(evidence, pair):
        told = f"{dialog} called {dialog.to_number} and got {_status(pair)}, outside of any window in which refusing"
        yield Problem("refused-without-need", None, f"{told} is right, and there is no row of the call")


def _is_excused(evidence: Evidence, pair: Pair) -> bool:
    """An unanswered caller needs no row if we said no (4xx, 6xx), they gave up, or refusing was right just then.

    A process that is late refuses calls, and its node tells so by the cause: nothing is recorded of them by design.
    """
    dialog = pair.dialog
    status = dialog.final_status or 0
    is_refused = 400 <= status < 500 or status >= 600
    gave_up = dialog.ended_by == "us"
    was_too_much = any(record.cause == _TOO_MUCH for record in pair.records)
    return (
        is_refused
        or gave_up
        or was_too_much
        or pair.is_lost
        or evidence.run.may_refuse(dialog.invited_at_s, dialog.ended_at_s)
    )


def every_row_has_its_origin(evidence: Evidence) -> Iterator[Problem]:
    """No call without a caller; none of ours without a telephone that was dialled or a request to the API."""
    callers = {dialog.number for dialog in evidence.dialogs if dialog.is_caller}
    telephones = {dialog.number for dialog in evidence.dialogs if not dialog.is_caller}
    asked = {number_of(placement.to_number) for placement in evidence.placements}
    for call in evidence.tables.calls:
        if call.is_inbound and number_of(call.from_number) not in callers:
            yield Problem("row-without-origin", name_of(call.call), f"{call} has a row, and nobody called")
        elif not call.is_inbound and number_of(call.to_number) not in telephones | asked:
            told = f"{call} has a row, and neither was it asked for nor did a telephone ring"
            yield Problem("row-without-origin", name_of(call.call), told)


def every_placement_has_its_row(evidence: Evidence) -> Iterator[Problem]:
    """What the API said yes to is there."""
    known = {call.call for call in evidence.tables.calls}
    for placement in evidence.placements:
        if 200 <= placement.status < 300 and uuid_of(placement.call) not in known:
            told = f"the API took a call to {placement.to_number} ({placement.status}), and there is no row of it"
            yield Problem("placement-without-row", placement.call, told)


def every_record_has_its_row(evidence: Evidence) -> Iterator[Problem]:
    """What a node answered or dialled is known. What came in and was never answered need not be."""
    known = {call.call for call in evidence.tables.calls} | {leg.leg for leg in evidence.tables.legs}
    for record in evidence.records.legs:
        if record.uuid in known or (record.is_inbound and record.answered_at_s is None):
            continue
        how = "answered" if record.is_inbound else "dialled"
        told = f"{record} was {how} there, and the database has no row of it"
        yield Problem("record-without-row", None, told)


def every_dialog_has_its_record(evidence: Evidence) -> Iterator[Problem]:
    """A node that lives tells of what it answered; and each file is whole."""
    for name in evidence.records.broken:
        yield Problem("broken-record", None, f"the call record {name} cannot be read as one")
    for pair in evidence.pairs:
        if pair.dialog.answered_at_s is not None and not pair.records and not pair.is_lost:
            told = f"{pair.dialog} was answered, and no node has a record of it"
            yield Problem("dialog-without-record", pair.call, told)


def every_call_has_one_verdict(evidence: Evidence) -> Iterator[Problem]:
    """A call that ended says how, in its row and in exactly one final event."""
    finals = Counter(event.call for event in evidence.tables.events if event.kind in FINAL_EVENTS)
    for call in evidence.tables.calls:
        if call.ended_at_s is None:
            continue  # not at rest: rest.py's
        name = name_of(call.call)
        if call.status not in _FINAL_STATUSES or call.result != call.status or not call.reason or not call.cause:
            told = f"status {call.status}, result {call.result}, reason {call.reason}, cause {call.cause}"
            yield Problem("no-verdict", name, f"{call} has ended, and its row has no whole verdict: {told}")
        if finals[call.call] != 1:
            told = f"{call} has ended once, and its log has {finals[call.call]} final events"
            yield Problem("not-one-final-event", name, told)


def answers_agree(evidence: Evidence) -> Iterator[Problem]:
    """Whoever was answered has a row that says so, and the reverse."""
    for pair in evidence.pairs:
        for row in pair.rows[:1]:
            if (row.answered_at_s is None) == (pair.dialog.answered_at_s is None):
                continue
            if pair.is_lost and _may_be_unknown(evidence, pair):
                continue
            if evidence.unseen_s(pair) and evidence.run.unseen_s(pair.dialog.answered_at_s or 0.0):
                continue  # it was answered and ended while nobody listened
            outside = "not answered" if pair.dialog.answered_at_s is None else "answered"
            inside = "not answered" if row.answered_at_s is None else "answered"
            told = f"{pair.dialog} was {outside} ({_status(pair)}), and {row} was {inside} by its row"
            yield Problem("answer-in-doubt", pair.call, told)


def _may_be_unknown(evidence: Evidence, pair: Pair) -> bool:
    answered_at_s, fault_at_s = pair.dialog.answered_at_s, evidence.run.fault_at_s
    return (
        answered_at_s is not None and fault_at_s is not None and fault_at_s - answered_at_s < _ANSWERED_BUT_NOT_KNOWN_S
    )


def lost_calls_say_so(evidence: Evidence) -> Iterator[Problem]:
    """The verdict of a call whose node died under it tells that it was lost, not that somebody hung up."""
    for pair in evidence.pairs:
        for row in pair.rows[:1]:
            if pair.is_lost and isinstance(row, CallRow) and row.ended_at_s is not None and not says_lost(row):
                told = f"{pair.dialog} was on a node that died, and the verdict of {row} is"
                yield Problem("lost-without-saying", pair.call, f"{told} {row.result}, {row.reason}, {row.cause}")


def nothing_is_lost_without_need(evidence: Evidence) -> Iterator[Problem]:
    """A verdict says that a leg was lost only if its node died, or nobody listened when it ended.

    While the database is away nobody knows whose calls these are, and so who is to listen.
    """
    for pair in evidence.pairs:
        ended_at_s = pair.dialog.ended_at_s
        if pair.is_lost or ended_at_s is None or evidence.run.unseen_s(ended_at_s):
            continue
        if evidence.run.may_not_write(ended_at_s, ended_at_s):
            continue
        for row in pair.rows:
            if row.cause in _LOST:
                told = f"{pair.dialog} ended while somebody listened to its node, and {row} has the cause {row.cause}"
                yield Problem("lost-without-need", pair.call, told)


def says_lost(row: CallRow) -> bool:
    """Say whether a verdict tells that the call was lost."""
    return any("lost" in (told or "").lower() for told in (row.reason, row.cause))


def _status(pair: Pair) -> str:
    return "no final status" if pair.dialog.final_status is None else f"status {pair.dialog.final_status}"
