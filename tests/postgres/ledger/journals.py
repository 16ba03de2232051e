"""What the engine put on record of each call of the run, written by its own writer."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from controlplane.base.ids import AccountId, CallId, LegId, Token, leg_of_call, sid_of
from controlplane.store.records import (
    CallbackQueued,
    CallChanged,
    CallOpened,
    EventPublished,
    LegChanged,
    LegOpened,
    Record,
    Write,
)
from tests.postgres.ledger.cast import BUSY, DID, HOOK, LOST, PLACED, RUNG, SHOWN, TALKS
from tests.postgres.sample import NOW_MS


@dataclass(slots=True)
class Writer:
    """Entries of a call's journal, one after the other."""

    account: AccountId
    call: CallId
    app: str
    records: list[Record] = field(default_factory=list)

    def add(self, after_s: float, *writes: Write) -> None:
        seq = len(self.records)
        at_ms = NOW_MS + round(after_s * 1000)
        self.records.append(Record(self.account, self.call, seq, at_ms, "Something", "{}", b"", writes))

    def open(self, after_s: float, direction: str, from_number: str, to_number: str, node: str = "m1") -> None:
        opened = CallOpened(self.app, direction, "ringing", from_number, to_number, node)
        self.add(after_s, opened, self.event("call.initiated"), self.event("call.ringing"))

    def event(self, kind: str, leg: LegId | None = None) -> EventPublished:
        return EventPublished(Token(f"{self.call}.{len(self.records)}.{kind}"), kind, "{}", leg, HOOK)

    def callback(self, leg: LegId, status: str, number: int) -> CallbackQueued:
        told = [("CallSid", sid_of("CA", leg)), ("CallStatus", status), ("SequenceNumber", str(number))]
        return CallbackQueued("http://app/events/status", "POST", json.dumps(told))

    def answer(self, after_s: float) -> None:
        answered = CallChanged(status="in-progress", answered_ms=NOW_MS + round(after_s * 1000))
        self.add(after_s, answered, self.event("call.answered"))

    def end(self, after_s: float, result: str, reason: str, cause: str, sip_call_id: str | None = None) -> None:
        ended = CallChanged(
            status=result, ended_ms=NOW_MS + round(after_s * 1000), result=result, reason=reason, cause=cause,
            sip_call_id=sip_call_id,
        )  # fmt: skip
        self.add(after_s, ended, self.event("call.completed" if result == "completed" else "call.failed"))


def b_leg_of(call: CallId) -> LegId:
    """The B-leg that a call dials."""
    return LegId("0b" + leg_of_call(call)[2:])


def talking(writer: Writer) -> Writer:
    leg = b_leg_of(writer.call)
    writer.open(0.0, "inbound", TALKS, DID)
    writer.answer(0.5)
    opened = LegOpened(leg, "dial_target", TALKS, RUNG)
    writer.add(1.0, opened, writer.event("leg.initiated", leg), writer.callback(leg, "initiated", 0))
    writer.add(1.5, writer.event("leg.ringing", leg), writer.callback(leg, "ringing", 1))
    answered = LegChanged(leg, answered_ms=NOW_MS + 3000)
    writer.add(3.0, answered, writer.event("leg.answered", leg), writer.callback(leg, "in-progress", 2))
    ended = LegChanged(leg, ended_ms=NOW_MS + 8100, cause="NORMAL_CLEARING", sip_call_id=f"{TALKS}-{RUNG}@phone")
    writer.add(8.1, ended, writer.event("leg.completed", leg), writer.callback(leg, "completed", 3))
    writer.add(9.0, writer.event("recording.completed"))
    writer.end(10.2, "completed", "normal-clearing", "NORMAL_CLEARING", f"{TALKS}-{DID}@phone")
    return writer


def busy(writer: Writer) -> Writer:
    writer.open(1.0, "inbound", BUSY, DID)
    writer.end(1.5, "busy", "user-busy", "USER_BUSY")
    return writer


def lost(writer: Writer) -> Writer:
    writer.open(20.0, "inbound", LOST, DID, "m2")
    writer.answer(20.5)
    writer.end(37.0, "completed", "lost", "LOST")
    return writer


def placed(writer: Writer) -> Writer:
    writer.open(0.1, "outbound-api", SHOWN, PLACED)
    writer.answer(2.0)
    writer.end(9.0, "completed", "normal-clearing", "NORMAL_CLEARING")
    return writer
