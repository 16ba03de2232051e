"""Events: numbered without gaps in the log, each delivered at least once, and one of them final."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tests.chaos.ledger.database import EventRow
from tests.chaos.ledger.evidence import Evidence, Problem
from tests.chaos.ledger.ids import name_of, uuid_of
from tests.chaos.ledger.received import ReceivedEvent
from tests.chaos.ledger.rows import FINAL_EVENTS


def events_are_numbered(evidence: Evidence) -> Iterator[Problem]:
    """The log of each call counts 0, 1, 2… up to what the call's row has counted."""
    events = _by_call(evidence)
    for call in evidence.tables.calls:
        numbers = [event.sequence for event in events.pop(call.call, [])]
        if numbers != list(range(call.event_count)):
            told = f"{call} has counted {call.event_count} events, and its log has the numbers {numbers}"
            yield Problem("event-numbers", name_of(call.call), told)
    for uuid, rows in events.items():
        told = f"the log has {len(rows)} events of the call {name_of(uuid)}, which has no row"
        yield Problem("event-numbers", name_of(uuid), told)


def events_are_queued(evidence: Evidence) -> Iterator[Problem]:
    """If any event of a call is to be delivered, all are."""
    events = _by_call(evidence)
    for call in evidence.tables.calls:
        rows = events.get(call.call, [])
        if not call.wants_events and all(row.delivery is None for row in rows):
            continue
        for row in rows:
            if row.delivery is None:
                told = f"event {row.sequence} ({row.kind}) of {call} is in the log, and no delivery of it was queued"
                yield Problem("event-not-queued", name_of(call.call), told)


def events_are_received(evidence: Evidence) -> Iterator[Problem]:
    """Every event that was queued was taken by the tenant's server, and none was that the log has not."""
    taken = {_uuid_of_event(event) for event in evidence.received.events if event.is_taken}
    for row in evidence.tables.events:
        if row.delivery is not None and row.event_id not in taken:
            told = f"event {row.sequence} ({row.kind}) of the call {name_of(row.call)} is {row.delivery} in the outbox"
            yield Problem("event-not-received", name_of(row.call), f"{told}, and the tenant's server never took it")
    known = {row.event_id: row for row in evidence.tables.events}
    for event_id, event in {event.event_id: event for event in evidence.received.events}.items():
        row_or_none = known.get(uuid_of(event_id) or "")
        name = name_of(event.call) if event.call else None
        if row_or_none is None:
            told = f"the tenant's server was told {event.kind} {event_id}, and the log has no such event"
            yield Problem("event-not-logged", name, told)
        elif (event.kind, event.sequence, event.call) not in _ways_to_tell(row_or_none):
            told = f"the tenant's server was told {event.kind} with number {event.sequence} of call {name}, and the log"
            row = row_or_none
            yield Problem(
                "event-differs", name, f"{told} has {row.kind}, {row.sequence}, {name_of(row.call)} as {event_id}"
            )


def final_events_are_one(evidence: Evidence) -> Iterator[Problem]:
    """Whatever was told how often: one call has one end."""
    ids: dict[str, set[str]] = defaultdict(set)
    for event in evidence.received.events:
        if event.kind in FINAL_EVENTS and event.call is not None:
            ids[event.call].add(event.event_id)
    for call, finals in ids.items():
        if len(finals) > 1:
            told = f"the tenant's server was told {len(finals)} ends of the call {name_of(call)}"
            yield Problem("several-ends-told", name_of(call), f"{told}: {', '.join(sorted(finals))}")


def nothing_happens_twice(evidence: Evidence) -> Iterator[Problem]:
    """A call, or a leg of it, begins, rings, is answered and ends once."""
    happened = Counter(
        (row.call, row.leg, row.kind) for row in evidence.tables.events if row.kind.startswith(("call.", "leg."))
    )
    for (call, leg, kind), times in happened.items():
        if times > 1 and kind not in FINAL_EVENTS:  # these are rows.py's
            whose = f"the call {name_of(call)}" if leg is None else f"the leg {leg} of the call {name_of(call)}"
            yield Problem("happened-twice", name_of(call), f"the log has {times} events {kind} of {whose}")


def events_come_in_order(evidence: Evidence) -> Iterator[Problem]:
    """The first receipts of a call's events are in the order of their numbers."""
    rows = {row.event_id: row for row in evidence.tables.events}
    first: dict[str, list[EventRow]] = defaultdict(list)
    for event in sorted(evidence.received.events, key=_at_s):
        row = rows.get(_uuid_of_event(event))
        if event.is_taken and row is not None and row not in first[row.call]:
            first[row.call].append(row)
    for call, order in first.items():
        numbers = [row.sequence for row in order]
        if numbers != sorted(numbers):
            told = f"the events of the call {name_of(call)} were first taken in the order {numbers}"
            yield Problem("events-out-of-order", name_of(call), told)


def _by_call(evidence: Evidence) -> dict[str, list[EventRow]]:
    events: dict[str, list[EventRow]] = defaultdict(list)
    for event in evidence.tables.events:
        events[event.call].append(event)
    return dict(events)


def _ways_to_tell(row: EventRow) -> Sequence[tuple[str, int | None, str]]:
    """With its number, or in the version that has none."""
    return ((row.kind, row.sequence, row.call), (row.kind, None, row.call))


def _uuid_of_event(event: ReceivedEvent) -> str:
    return uuid_of(event.event_id) or ""


def _at_s(event: ReceivedEvent) -> float:
    return event.at_s


def times_told(evidence: Evidence) -> Mapping[str, int]:
    """How often each event and callback was taken, by its name."""
    times: dict[str, int] = defaultdict(int)
    for event in evidence.received.events:
        times[event.event_id] += event.is_taken
    for callback in evidence.received.callbacks:
        times[f"{callback.call}.c{callback.number}"] += callback.is_taken
    return times
