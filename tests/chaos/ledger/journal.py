"""Journals are whole: each call that somebody drove has one, numbered from 0 without gaps."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of


def journals_are_whole(evidence: Evidence) -> Iterator[Problem]:
    """No gap, no journal missing, none without its call."""
    journals = {journal.call: journal for journal in evidence.tables.journals}
    for call in evidence.tables.calls:
        journal = journals.pop(call.call, None)
        name = name_of(call.call)
        if journal is None:
            if call.ended_at_s is not None or call.is_claimed:
                yield Problem("journal-missing", name, f"{call} was driven ({call.status}), and has no journal")
        elif (journal.first, journal.last) != (0, journal.entries - 1):
            told = f"its journal has {journal.entries} entries, numbered {journal.first} to {journal.last}"
            yield Problem("journal-gap", name, f"{call} should have entries 0 to {journal.entries - 1}, and {told}")
    for uuid, journal in journals.items():
        told = f"there is a journal of {journal.entries} entries of the call {name_of(uuid)}, which has no row"
        yield Problem("journal-without-call", name_of(uuid), told)
