from __future__ import annotations

from controlplane.base.causes import Result, Verdict
from controlplane.base.ids import AccountId, CallId, LegId, Token, leg_of_call
from controlplane.calls.commands import (
    Acknowledge,
    Burst,
    CallBack,
    Claim,
    Command,
    Finish,
    KeepRecording,
    Note,
    Publish,
)
from controlplane.calls.events import CallOffered, CallPlaced, Entry, Event, LegAnswered, LegEnded, LegRinging, Resumed
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.runs import Branch, Bridge
from controlplane.store.derive import record_of
from controlplane.store.records import (
    CallbackQueued,
    CallChanged,
    CallOpened,
    EventPublished,
    LegChanged,
    LegOpened,
    NoteWritten,
    RecordingKept,
    RequestAnswered,
    Write,
)
from controlplane.verbs.documents import Link, Sip

CALL = CallId("cs_01HF7YAT00000000000000000A")
ACCOUNT = AccountId("acc_01HF7YAT00000000000000000B")
A_LEG, B_LEG = leg_of_call(CALL), LegId("018bcfe5-6800-0000-0000-00000000001a")
FACTS = Facts(
    CALL,
    ACCOUNT,
    A_LEG,
    "fs1",
    Direction.INBOUND,
    "+15550001111",
    "+15550002222",
    "va_1",
    webhook_url="http://app/hook",
)
TOKEN = Token(f"{CALL}.3.0")


def writes(event: Event, *commands: Command) -> tuple[Write, ...]:
    return record_of(FACTS, Entry(3, 5000, event), commands).writes


def test_a_leg_has_the_number_under_which_it_is_dialled() -> None:
    """A document may ask for one that is not its account's to show (Twilio's warning 13214)."""
    bridge = Bridge((Branch(B_LEG, Sip("sip:bob@example.net")),), False, 30, 60, "+18005550100", "", False, None, None)
    dial = Burst(A_LEG, TOKEN, (bridge,))
    record = record_of(FACTS, Entry(3, 5000, Resumed("one")), [dial], lambda _: "+15550001111")
    assert record.writes == (LegOpened(B_LEG, "dial_target", "+15550001111", "sip:bob@example.net"),)


def test_a_record_holds_the_entry_as_the_journal_writes_it() -> None:
    record = record_of(FACTS, Entry(3, 5000, Resumed("one")), [])
    assert (record.account, record.call, record.seq, record.at_ms, record.kind, record.data) == (
        ACCOUNT, CALL, 3, 5000, "Resumed", '{"server":"one"}',
    )  # fmt: skip


def test_an_offered_call_is_opened_and_rings() -> None:
    opened = CallOpened("va_1", "inbound", "ringing", "+15550001111", "+15550002222", "fs1")
    assert writes(CallOffered(FACTS)) == (opened, CallChanged(ringing_ms=5000))


def test_a_placed_call_has_its_row_already() -> None:
    assert writes(CallPlaced(FACTS)) == (CallChanged(node="fs1"),)


def test_what_happens_to_the_a_leg_happens_to_the_call() -> None:
    assert writes(LegRinging(A_LEG)) == (CallChanged(status="ringing", ringing_ms=5000),)
    assert CallChanged(status="in-progress", answered_ms=5000) in writes(
        LegAnswered(A_LEG), Publish(TOKEN, "call.answered", ())
    )
    assert writes(LegEnded(A_LEG, "USER_BUSY", 486, "sip-1")) == (
        CallChanged(cause="USER_BUSY", sip_status=486, sip_call_id="sip-1"),
    )


def test_what_happens_to_a_b_leg_is_its_own() -> None:
    assert writes(LegRinging(B_LEG)) == (LegChanged(B_LEG, ringing_ms=5000),)
    assert LegChanged(B_LEG, answered_ms=5000) in writes(LegAnswered(B_LEG), Publish(TOKEN, "leg.answered", (), B_LEG))
    ended = writes(LegEnded(B_LEG, "NO_ANSWER"), Publish(TOKEN, "leg.failed", (), B_LEG))
    assert (ended[0], ended[-1]) == (LegChanged(B_LEG, cause="NO_ANSWER"), LegChanged(B_LEG, ended_ms=5000))


def test_what_was_found_out_late_counts_from_when_it_was() -> None:
    answered, ended = (Publish(TOKEN, f"leg.{what}", (), B_LEG, 3800) for what in ("answered", "completed"))
    assert LegChanged(B_LEG, answered_ms=3800) in writes(LegAnswered(B_LEG, 1200), answered)
    assert LegChanged(B_LEG, ended_ms=3800) in writes(LegEnded(B_LEG, "NORMAL_CLEARING"), ended)
    assert CallChanged(status="busy", ended_ms=3800, result="busy", reason="user-busy") in writes(
        LegEnded(A_LEG, "USER_BUSY"), Finish(Verdict(Result.BUSY, "user-busy"), 3800)
    )


def test_a_bridge_opens_a_leg_for_each_branch() -> None:
    bridge = Bridge((Branch(B_LEG, Sip("sip:bob@example.net")),), False, 30, 60, "+15550001111", "", False, None, None)
    assert writes(Resumed("one"), Burst(A_LEG, TOKEN, (bridge,))) == (
        LegOpened(B_LEG, "dial_target", "+15550001111", "sip:bob@example.net"),
    )


def test_commands_that_are_written_down_become_rows_and_others_none() -> None:
    kept = KeepRecording(TOKEN, "rec_1", A_LEG, "RecordVerb", 1, None, True, None)
    assert writes(
        Resumed("one"),
        Claim(A_LEG, 60),
        Publish(TOKEN, "call.ringing", (("status", "ringing"), ("n", None)), A_LEG),
        CallBack(TOKEN, Link("http://app/status", "GET"), (("CallStatus", "ringing"), ("From", "é"))),
        kept,
        Note("warning", 12200, "odd", "Say[1]"),
        Acknowledge("req_1", "call_not_live"),
        Finish(Verdict(Result.BUSY, "user-busy")),
    ) == (
        EventPublished(TOKEN, "call.ringing", '{"status":"ringing","n":null}', A_LEG, "http://app/hook"),
        CallbackQueued("http://app/status", "GET", '[["CallStatus","ringing"],["From","é"]]'),
        RecordingKept("fs1", "http://app/hook", kept),
        NoteWritten(4, "warning", 12200, "odd", "Say[1]"),
        RequestAnswered("req_1", "call_not_live"),
        CallChanged(status="busy", ended_ms=5000, result="busy", reason="user-busy"),
    )  # fmt: skip


def test_an_event_of_the_call_does_not_repeat_what_stands_in_its_row() -> None:
    parties = (("from", "+15550001111"), ("to", "+15550002222"), ("direction", "inbound"))
    others = (("from", "+15550001111"), ("to", "sip:bob@example.net"), ("direction", "outbound-dial"))
    published = writes(
        Resumed("one"),
        Publish(TOKEN, "call.ringing", (("status", "ringing"), *parties)),
        Publish(TOKEN, "call.ringing", others),
        Publish(TOKEN, "leg.ringing", parties, B_LEG),
    )

    assert [write.data for write in published if isinstance(write, EventPublished)] == [
        '{"status":"ringing"}',
        '{"to":"sip:bob@example.net","direction":"outbound-dial"}',
        '{"from":"+15550001111","to":"+15550002222","direction":"inbound"}',
    ]
