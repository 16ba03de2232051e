"""What an entry of the journal means for the tables: an event and the machine's commands in, one record out. Pure.

Only the commands that are written down count (calls/commands.py, WRITTEN), and those that make a leg.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from controlplane.calls.commands import (
    Acknowledge,
    Burst,
    CallBack,
    Command,
    Finish,
    KeepRecording,
    Note,
    Originate,
    Publish,
)
from controlplane.calls.events import (
    CallOffered,
    CallPlaced,
    Entry,
    LegEnded,
    LegRinging,
    OriginateFailed,
)
from controlplane.calls.facts import Facts
from controlplane.calls.journal import digest_of, encode_event
from controlplane.calls.runs import Branch, Bridge
from controlplane.store.records import (
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
from controlplane.verbs.documents import Number, Target

_DIALLED = "dial_target"


Shown: TypeAlias = Callable[[str], str]  # the number under which a party is dialled that is to be dialled under this


def record_of(facts: Facts, entry: Entry, commands: Sequence[Command], shown: Shown = str) -> Record:
    """Everything to write about one entry and the commands it gave rise to."""
    kind, data = encode_event(entry.event)
    writes = [*_of_event(facts, entry)]
    for index, command in enumerate(commands):
        writes.extend(_of_command(facts, entry, index, command, shown))
    return Record(facts.account, facts.call, entry.seq, entry.at_ms, kind, data, digest_of(commands), tuple(writes))


def _of_event(facts: Facts, entry: Entry) -> Iterator[Write]:
    at_ms = entry.at_ms
    match entry.event:
        case CallOffered():
            yield CallOpened(facts.app, facts.direction, "ringing", facts.from_number, facts.to_number, facts.node)
            yield CallChanged(ringing_ms=at_ms)
        case CallPlaced():
            yield CallChanged(node=facts.node or None)
        case LegRinging(leg) if leg == facts.a_leg:
            yield CallChanged(status="ringing", ringing_ms=at_ms)
        case LegRinging(leg):
            yield LegChanged(leg, ringing_ms=at_ms)
        case LegEnded(leg, cause, sip_status, sip_call_id) if leg == facts.a_leg:
            yield CallChanged(cause=cause, sip_status=sip_status, sip_call_id=sip_call_id or None)
        case LegEnded(leg, cause, sip_status, sip_call_id):
            yield LegChanged(leg, cause=cause, sip_status=sip_status, sip_call_id=sip_call_id or None)
        case OriginateFailed(leg, cause) if leg == facts.a_leg:
            yield CallChanged(cause=cause)
        case OriginateFailed(leg, cause):
            yield LegChanged(leg, cause=cause)
        case _:
            return


def _told(entry: Entry, told: Publish) -> Iterator[Write]:
    """When legs were answered and ended is the machine's word, not an event's: what came later may tell it, too."""
    at_ms = told.was_at_ms or entry.at_ms
    match told:
        case Publish(kind="call.answered"):
            yield CallChanged(status="in-progress", answered_ms=at_ms)
        case Publish(kind="leg.answered", leg=str(leg)):
            yield LegChanged(leg, answered_ms=at_ms)
        case Publish(kind="leg.completed" | "leg.failed", leg=str(leg)):
            yield LegChanged(leg, ended_ms=at_ms)
        case _:
            return


def _news(facts: Facts, told: Publish) -> str:
    """What an event says. Who calls whom stands in the call's row: readers of events add it (SQL, event_data)."""
    if told.leg is not None:
        return _compact(dict(told.data))
    known = {"from": facts.from_number, "to": facts.to_number, "direction": facts.direction}
    return _compact({name: value for name, value in told.data if known.get(name) != value})


def _of_command(facts: Facts, entry: Entry, index: int, command: Command, shown: Shown) -> Iterator[Write]:
    match command:
        case Publish():
            yield EventPublished(command.token, command.kind, _news(facts, command), command.leg, facts.webhook_url)
            yield from _told(entry, command)
        case CallBack():
            yield CallbackQueued(command.link.url, command.link.method, _compact(command.parameters))
        case KeepRecording():
            yield RecordingKept(command.node or facts.node, facts.webhook_url, command)
        case Note():
            yield NoteWritten(index, command.level, command.code, command.text, command.where)
        case Acknowledge():
            yield RequestAnswered(command.request, command.problem)
        case Finish(verdict):
            ended_ms = command.was_at_ms or entry.at_ms
            yield CallChanged(status=verdict.result, ended_ms=ended_ms, result=verdict.result, reason=verdict.reason)
        case Originate():
            if command.leg != facts.a_leg:
                yield _leg(Branch(command.leg, command.target), shown(command.caller_id))
        case Burst():
            for run in command.runs:
                if isinstance(run, Bridge):
                    yield from (_leg(branch, shown(run.caller_id)) for branch in run.branches)
        case _:
            return


def _leg(branch: Branch, caller_id: str) -> LegOpened:
    return LegOpened(branch.leg, _DIALLED, caller_id, _address(branch.target))


def _address(target: Target) -> str:
    return target.number if isinstance(target, Number) else target.uri


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
