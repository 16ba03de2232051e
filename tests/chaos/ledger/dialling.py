"""Nobody was dialled twice: by the telephones, by the database, and by the nodes. And all speak of one dialog."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.ledger.database import CallRow, LegRow
from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of, number_of
from tests.chaos.ledger.node_records import NodeLeg


def telephones_ring_once(evidence: Evidence) -> Iterator[Problem]:
    """Each telephone of a run was invited at most once; each caller called once."""
    found: dict[tuple[bool, str], int] = defaultdict(int)
    calls = {(pair.dialog.is_caller, pair.dialog.number): pair.call for pair in evidence.pairs}
    for dialog in evidence.dialogs:
        found[dialog.is_caller, dialog.number] += 1
    for (is_caller, number), times in found.items():
        if times > 1 and is_caller:
            told = f"the log of callers has {times} calls by {number}: callers of a run must have numbers of their own"
            yield Problem("evidence-in-doubt", calls[is_caller, number], told)
        elif times > 1:
            told = f"the telephone {number} was invited {times} times, and should have been once"
            yield Problem("dialled-twice", calls[is_caller, number], told)


def rows_dial_once(evidence: Evidence) -> Iterator[Problem]:
    """No two legs or calls of ours were for one telephone."""
    found: dict[str, list[CallRow | LegRow]] = defaultdict(list)
    dialled: list[CallRow | LegRow] = [call for call in evidence.tables.calls if not call.is_inbound]
    for row in [*dialled, *evidence.tables.legs]:
        found[number_of(row.to_number)].append(row)
    for number, rows in found.items():
        if len(rows) > 1:
            told = f"the telephone {number} should be dialled once, and the database has {' and '.join(map(str, rows))}"
            yield Problem("rows-dial-twice", name_of(rows[0].call), told)


def nodes_dial_once(evidence: Evidence) -> Iterator[Problem]:
    """No node dialled a telephone twice, and no dialog has two records."""
    dialled: dict[str, list[NodeLeg]] = defaultdict(list)
    recorded: dict[tuple[str, str], list[NodeLeg]] = defaultdict(list)
    for record in evidence.records.legs:
        if not record.is_inbound:
            dialled[record.to_number].append(record)
        recorded["channel", record.uuid].append(record)
        if record.sip_call_id is not None:
            recorded["SIP dialog", record.sip_call_id].append(record)
    for number, records in dialled.items():
        if len(records) > 1:
            told = f"the telephone {number} should be dialled once, and was by {' and '.join(map(str, records))}"
            yield Problem("nodes-dial-twice", None, told)
    for (kind, name), records in recorded.items():
        if len(records) > 1:
            told = f"the {kind} {name} should have one call record, and has {' and '.join(map(str, records))}"
            yield Problem("recorded-twice", None, told)


def dialogs_are_the_same(evidence: Evidence) -> Iterator[Problem]:
    """What is known by a person's number is the very SIP dialog that this person had, where its Call-ID is known."""
    for pair in evidence.pairs:
        outside = pair.dialog.sip_call_id
        for told in (*pair.rows, *pair.records):
            if outside is not None and told.sip_call_id not in (outside, None):
                sentence = f"{pair.dialog} was in the SIP dialog {outside}, {told} in {told.sip_call_id}"
                yield Problem("dialogs-differ", pair.call, sentence)


def something_happened(evidence: Evidence) -> Iterator[Problem]:
    """A run in which nobody called shows nothing."""
    if not evidence.dialogs and not evidence.tables.calls:
        yield Problem("evidence-in-doubt", None, "nobody called, and there is no row of a call: this shows nothing")
