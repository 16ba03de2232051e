"""Records turned into rows, per query of `sql/journal.sql`. Pure.

Numbers of events and deliveries: `calls` counts them, the count is raised first, and a row takes its place `after` so
many others from the end. So numbers have no gaps, and nothing has to be read before it is written.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from hashlib import sha256
from typing import Any

from controlplane.base.ids import EVENT, CallId, mint
from controlplane.store.records import (
    CALLBACKS_LANE,
    EVENTS_LANE,
    CallbackQueued,
    CallChanged,
    CallOpened,
    EventPublished,
    LegChanged,
    LegOpened,
    NoteWritten,
    Record,
    RecordingKept,
    RequestAnswered,
    Write,
)

Row = dict[str, Any]

_CALL_FIELDS = tuple(entry.name for entry in fields(CallChanged))
_LEG_FIELDS = tuple(entry.name for entry in fields(LegChanged) if entry.name != "leg")


@dataclass(slots=True)
class Rows:
    """Rows by the query that writes them. Changes of one call or leg are folded into one row."""

    opened: dict[CallId, Row] = field(default_factory=dict)
    changed: dict[CallId, Row] = field(default_factory=dict)
    legs: dict[tuple[CallId, str], Row] = field(default_factory=dict)
    others: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    webhooks: list[tuple[Row, Row]] = field(default_factory=list)  # an event and its delivery: one number for both

    def by_query(self) -> dict[str, list[Row]]:
        """What to write, in the order to write it: calls first, because the others are numbered by their counts."""
        _number_from_the_end(self.others["insert_events"])
        _number_from_the_end([row for row in self.others["insert_deliveries"] if row["lane"] == CALLBACKS_LANE])
        for event, delivery in self.webhooks:
            delivery["after"] = event["after"]
        found = {
            "open_calls": list(self.opened.values()),
            "change_calls": list(self.changed.values()),
            "open_legs": self.others["open_legs"],
            "change_legs": list(self.legs.values()),
            **{name: rows for name, rows in sorted(self.others.items()) if name != "open_legs"},
        }
        return {name: rows for name, rows in found.items() if rows}


def journal_row(record: Record) -> Row:
    """A record's own line."""
    return {
        "at_ms": record.at_ms, "seq": record.seq, "call_id": record.call, "kind": record.kind, "data": record.data,
        "digest": record.digest,
    }  # fmt: skip


def rows_of(records: Sequence[Record]) -> Rows:
    """Everything that these records write besides their own lines."""
    rows = Rows()
    for record in records:
        for write in record.writes:
            _add(rows, record, write)
    return rows


def event_id(token: str, at_ms: int) -> str:
    """An event's id follows from the command that published it: whoever writes it again gives it the same."""
    return mint(EVENT, at_ms, sha256(token.encode()).digest())


def _add(rows: Rows, record: Record, write: Write) -> None:
    head = {"account_id": record.account, "call_id": record.call}
    timed = {**head, "at_ms": record.at_ms}
    match write:
        case CallOpened():
            rows.opened[record.call] = _opened(record, write)
        case CallChanged():
            _fold(_call(rows, head), write, _CALL_FIELDS)
            if write.ended_ms is not None:
                rows.others["fail_requests"].append(timed)
        case LegOpened():
            rows.others["open_legs"].append(
                {**head, "leg": write.leg, "created_ms": record.at_ms, "role": write.role,
                 "from_number": write.from_number, "to_number": write.to_number}
            )  # fmt: skip
        case LegChanged():
            empty = {**head, "leg": write.leg, **dict.fromkeys(_LEG_FIELDS)}
            _fold(rows.legs.setdefault((record.call, write.leg), empty), write, _LEG_FIELDS)
        case EventPublished():
            _add_event(rows, timed, write)
        case CallbackQueued():
            _call(rows, head)["callback_count"] += 1
            rows.others["insert_deliveries"].append(
                {**timed, "lane": CALLBACKS_LANE, "method": write.method,
                 "url": write.url, "parameters": write.parameters}
            )  # fmt: skip
        case RecordingKept():
            rows.others["insert_recordings"].append({**timed, **_recording(write)})
        case NoteWritten():
            rows.others["insert_notes"].append(
                {**timed, "seq": record.seq, "index": write.index, "code": write.code,
                 "level": write.level, "text": write.text, "place": write.place}
            )  # fmt: skip
        case RequestAnswered():
            rows.others["answer_requests"].append(
                {"request_id": write.request, "problem": write.problem, "at_ms": record.at_ms}
            )


def _add_event(rows: Rows, timed: Row, write: EventPublished) -> None:
    _call(rows, timed)["event_count"] += 1
    event = {
        **timed, "event_id": event_id(write.token, timed["at_ms"]), "leg": write.leg, "kind": write.kind,
        "data": write.data,
    }  # fmt: skip
    rows.others["insert_events"].append(event)
    if write.webhook_url is not None:
        delivery = {
            **timed, "lane": EVENTS_LANE, "method": "POST", "url": write.webhook_url,
            "parameters": None,
        }  # fmt: skip
        rows.others["insert_deliveries"].append(delivery)
        rows.webhooks.append((event, delivery))


def _opened(record: Record, write: CallOpened) -> Row:
    return {
        "call_id": record.call, "account_id": record.account, "created_ms": record.at_ms,
        **dict.fromkeys(_CALL_FIELDS), "app_id": write.app, "direction": write.direction, "status": write.status,
        "from_number": write.from_number, "to_number": write.to_number, "node": write.node,
        "event_count": 0, "callback_count": 0,
    }  # fmt: skip


def _recording(write: RecordingKept) -> Row:
    kept = write.command
    callback = None
    if kept.callback is not None:
        link = kept.callback.link
        callback = json.dumps(
            {"url": link.url, "method": link.method, "events": sorted(kept.callback.events),
             "parameters": kept.parameters}
        )  # fmt: skip
    return {
        "recording_id": kept.recording, "leg": kept.leg,
        "duration_ms": kept.duration_ms, "channels": kept.channels, "is_trimmed": kept.is_trimmed,
        "source": kept.source, "node": write.node, "webhook_url": write.webhook_url, "callback": callback,
    }  # fmt: skip


def _call(rows: Rows, head: Row) -> Row:
    call = head["call_id"]
    if call in rows.opened:
        return rows.opened[call]
    empty = {
        "account_id": head["account_id"],
        "call_id": call,
        **dict.fromkeys(_CALL_FIELDS),
        "event_count": 0,
        "callback_count": 0,
    }
    return rows.changed.setdefault(call, empty)


def _fold(row: Row, change: CallChanged | LegChanged, names: Sequence[str]) -> None:
    """The latest status and node win; of everything else what came first stays."""
    for name in names:
        value = getattr(change, name)
        if value is not None and (row[name] is None or name in ("status", "node")):
            row[name] = value


def _number_from_the_end(rows: list[Row]) -> None:
    seen: defaultdict[CallId, int] = defaultdict(int)
    for row in reversed(rows):
        row["after"] = seen[row["call_id"]]
        seen[row["call_id"]] += 1
