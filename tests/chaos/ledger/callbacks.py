"""Status callbacks: each delivered at least once, and those of a leg numbered without gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of, uuid_of

FINAL = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


def callbacks_are_numbered(evidence: Evidence) -> Iterator[Problem]:
    """The outbox has as many callbacks of a call as its row has counted."""
    queued: dict[str, list[int]] = defaultdict(list)
    for row in evidence.tables.callbacks:
        queued[row.call].append(row.number)
    for call in evidence.tables.calls:
        numbers = queued.pop(call.call, [])
        if numbers != list(range(call.callback_count)):
            told = f"{call} has counted {call.callback_count} callbacks, and the outbox has the numbers {numbers}"
            yield Problem("callback-numbers", name_of(call.call), told)
    for uuid, numbers in queued.items():
        told = f"the outbox has callbacks {numbers} of the call {name_of(uuid)}, which has no row"
        yield Problem("callback-numbers", name_of(uuid), told)


def callbacks_are_received(evidence: Evidence) -> Iterator[Problem]:
    """Every callback was taken by the tenant's server, and none was that the outbox has not."""
    taken = {(callback.call, callback.number) for callback in evidence.received.callbacks if callback.is_taken}
    queued = {(row.call, row.number) for row in evidence.tables.callbacks}
    for row in evidence.tables.callbacks:
        if (row.call, row.number) not in taken:
            told = f"callback {row.number} of the call {name_of(row.call)} is {row.state} in the outbox"
            yield Problem("callback-not-received", name_of(row.call), f"{told}, and the tenant's server never took it")
    for callback in evidence.received.callbacks:
        if callback.call is not None and (callback.call, callback.number) not in queued:
            name = name_of(callback.call)
            told = (
                f"the tenant's server was told callback {callback.number} of the call {name}, which the outbox has not"
            )
            yield Problem("callback-not-queued", name, told)


def callbacks_of_a_leg_count(evidence: Evidence) -> Iterator[Problem]:
    """SequenceNumber is 0, 1, 2… for each CallSid, and one callback alone tells the end."""
    numbers: dict[str, dict[int, int]] = defaultdict(dict)
    ends: dict[str, set[int]] = defaultdict(set)
    calls: dict[str, str | None] = {}
    for callback in evidence.received.callbacks:
        if callback.sequence is None:
            continue
        calls[callback.leg_sid] = callback.call
        numbers[callback.leg_sid][callback.number] = callback.sequence
        if callback.status in FINAL:
            ends[callback.leg_sid].add(callback.number)
    for sid, by_place in numbers.items():
        name = name_of(calls[sid] or uuid_of(sid) or "")
        told = [by_place[place] for place in sorted(by_place)]
        if told != list(range(len(told))):
            yield Problem("callback-sequence", name, f"the callbacks of {sid} were told with the numbers {told}")
        if len(ends[sid]) > 1:
            places = sorted(ends[sid])
            yield Problem("several-ends-called-back", name, f"the callbacks {places} of {sid} each tell its end")
