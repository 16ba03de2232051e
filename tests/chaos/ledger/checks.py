"""Every check there is. One more: a function from Evidence to Problems, a row here, and a mutation in its tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.chaos.ledger import callbacks, dialling, driving, durations, events, journal, outcomes, rest, rows, telling
from tests.chaos.ledger.evidence import Evidence, Problem

Check = Callable[[Evidence], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    rows.every_dialog_has_its_row,
    rows.every_row_has_its_origin,
    rows.every_placement_has_its_row,
    rows.every_record_has_its_row,
    rows.every_dialog_has_its_record,
    rows.every_call_has_one_verdict,
    rows.answers_agree,
    rows.lost_calls_say_so,
    rows.nothing_is_lost_without_need,
    durations.durations_agree,
    durations.lost_calls_lasted_until_their_node_died,
    events.events_are_numbered,
    events.events_are_queued,
    events.events_are_received,
    events.final_events_are_one,
    events.nothing_happens_twice,
    events.events_come_in_order,
    callbacks.callbacks_are_numbered,
    callbacks.callbacks_are_received,
    callbacks.callbacks_of_a_leg_count,
    outcomes.every_plan_is_carried_out,
    outcomes.calls_go_on,
    outcomes.the_api_takes_calls,
    telling.who_was_answered_is_told_of,
    telling.telephones_are_called_back,
    telling.recordings_are_told_of,
    dialling.telephones_ring_once,
    dialling.rows_dial_once,
    dialling.nodes_dial_once,
    dialling.dialogs_are_the_same,
    dialling.something_happened,
    driving.one_server_drives,
    driving.only_who_claimed_drives,
    driving.who_woke_had_something_to_harm,
    journal.journals_are_whole,
    rest.nothing_is_left_in_the_database,
    rest.nothing_is_left_on_the_nodes,
    rest.nothing_is_left_on_the_disk,
)

# What each may name. The tests show for each that it can be named.
SLUGS = frozenset({
    "answer-in-doubt", "broken-off", "broken-record", "callback-not-queued", "callback-not-received",
    "callback-numbers", "callback-sequence", "caller-with-several-rows", "caller-without-row", "channel-left",
    "dead-server-left", "delivery-left", "dialled-twice", "dialog-without-record", "dialogs-differ",
    "drives-unclaimed", "durations-differ", "entry-set-aside", "event-differs", "event-not-logged", "event-not-queued",
    "event-not-received", "event-numbers", "events-out-of-order", "evidence-in-doubt", "happened-twice",
    "journal-gap", "journal-missing", "journal-without-call", "live-call-left", "live-leg-left",
    "lost-at-another-time", "lost-without-need", "lost-without-saying", "no-verdict", "nodes-dial-twice",
    "not-answered", "not-called-back", "not-made", "not-one-final-event", "not-told",
    "placement-refused", "placement-without-row",
    "queued-call-left", "record-without-row", "recorded-twice", "recording-left", "refused-without-need",
    "request-left", "row-without-origin", "rows-dial-twice", "several-ends-called-back", "several-ends-told",
    "spool-left", "stray-lock", "task-left", "telephone-without-row", "two-servers-drive",
})  # fmt: skip


def problems_of(evidence: Evidence) -> list[Problem]:
    """Everything that is wrong, each in a sentence that names its call."""
    return [_named(problem) for check in CHECKS for problem in check(evidence)]


def _named(problem: Problem) -> Problem:
    if problem.call is None or problem.call in problem.told:
        return problem
    return replace(problem, told=f"of the call {problem.call}: {problem.told}")
