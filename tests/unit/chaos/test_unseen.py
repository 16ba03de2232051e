"""What the ledger forgives of legs that ended while nobody listened to their node, and what not."""

from __future__ import annotations

from dataclasses import replace

from tests.chaos.ledger.callers import Dialog
from tests.chaos.ledger.database import LegRow, Tables
from tests.chaos.ledger.durations import durations_agree
from tests.chaos.ledger.evidence import Evidence
from tests.chaos.ledger.rows import answers_agree
from tests.chaos.ledger.run import Run

CALL = "018bcfe5-6800-7000-8000-000000000001"
PHONE = Dialog(None, False, "+15550001111", "+15559001111", 100.0, 103.0, 105.0, 200, "us", "local")
ROW = LegRow(CALL, CALL, "+15550001111", "+15559001111", "LOST", None, None, 108.0)
DEAF = Run("run", fault_at_s=102.0, unseen=((102.0, 109.0),))


def slugs(run: Run, dialog: Dialog = PHONE, row: LegRow = ROW) -> list[str]:
    evidence = Evidence(run, dialogs=(dialog,), tables=Tables(legs=(row,)))
    return [problem.check for check in (answers_agree, durations_agree) for problem in check(evidence)]


def test_a_leg_that_was_answered_and_ended_unseen_may_be_lost() -> None:
    assert slugs(DEAF) == []


def test_a_leg_whose_end_nobody_saw_may_have_lasted_longer() -> None:
    assert slugs(DEAF, replace(PHONE, answered_at_s=101.0), replace(ROW, answered_at_s=101.0)) == []
    assert slugs(DEAF, replace(PHONE, answered_at_s=101.0), replace(ROW, answered_at_s=101.0, ended_at_s=111.0)) == [
        "durations-differ"
    ]


def test_nothing_is_forgiven_where_somebody_listened_or_what_is_not_told_as_lost() -> None:
    differences = ["answer-in-doubt", "durations-differ"]
    assert slugs(Run("run")) == differences
    assert slugs(DEAF, replace(PHONE, answered_at_s=101.0)) == ["answer-in-doubt"]
    assert slugs(DEAF, row=replace(ROW, cause="NORMAL_CLEARING")) == differences
