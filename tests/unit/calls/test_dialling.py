"""Dial, with screening and without: who is dialled, what is told of it, and what comes after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId, shard_of
from controlplane.calls.commands import (
    Burst,
    CallBack,
    End,
    FetchDocument,
    Interrupt,
    Join,
    KeepRecording,
    Note,
    Originate,
)
from controlplane.calls.events import (
    BurstDone,
    DocumentArrived,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Outcome,
    Redirected,
)
from controlplane.calls.runs import (
    AnswerLeg,
    Bridge,
    Collect,
    PlayPrompts,
    RingBack,
    StopRecording,
)
from controlplane.verbs.documents import Link, Say

from .conversation import A_LEG, Conversation, effects, of_kind, told


def dial(document: str) -> tuple[Conversation, Bridge, LegId]:
    call = Conversation()
    call.begin(document)
    bridge = next(run for run in call.runs if isinstance(run, Bridge))
    return call, bridge, bridge.branches[0].leg


def test_dial_lets_freeswitch_ring_and_join() -> None:
    _, bridge, leg = dial("<Dial timeout='20' hangupOnStar='true'><Number>+15550003333</Number></Dial>")
    assert (bridge.timeout_s, bridge.hangs_up_on_star, bridge.caller_id) == (20, True, "+15550001111")
    assert shard_of(leg) == shard_of(A_LEG)


def test_dial_answers_first_unless_the_callee_is_to_do_that() -> None:
    call, _, _ = dial("<Dial>+15550003333</Dial>")
    assert isinstance(call.runs[0], AnswerLeg)
    call, _, _ = dial("<Dial answerOnBridge='true'>+15550003333</Dial>")
    assert isinstance(call.runs[0], Bridge)


def test_dial_tells_its_action_how_the_conversation_went() -> None:
    call, _, leg = dial("<Dial action='/done'>+15550003333</Dial>")
    call.connect()
    call.feed(LegRinging(leg))
    call.feed(LegAnswered(leg), after_ms=3000)
    call.feed(LegsJoined(A_LEG, leg))
    call.feed(LegEnded(leg, "NORMAL_CLEARING"), after_ms=8000)
    call.done(Outcome(dial_result="SUCCESS"))
    assert told(call) == {
        "DialCallStatus": "completed",
        "DialCallSid": "CA" + leg.replace("-", ""),
        "DialCallDuration": "8",
        "DialBridged": "true",
    }


@pytest.mark.parametrize(
    ("cause", "sip_status", "status"),
    [
        ("USER_BUSY", 486, "busy"),
        ("NO_ANSWER", 487, "no-answer"),
        ("CALL_REJECTED", 603, "busy"),
        ("UNALLOCATED_NUMBER", 404, "failed"),
        ("NORMAL_TEMPORARY_FAILURE", 503, "failed"),
        ("NO_USER_RESPONSE", 408, "no-answer"),
    ],
)
def test_dial_tells_its_action_why_nobody_was_reached(cause: str, sip_status: int, status: str) -> None:
    call, _, leg = dial("<Dial action='/done'>+15550003333</Dial>")
    call.connect()
    call.feed(LegEnded(leg, cause, sip_status))
    call.done(Outcome(dial_result=cause))
    assert (told(call)["DialCallStatus"], told(call)["DialBridged"]) == (status, "false")


def test_dial_without_action_goes_on_with_the_next_verb() -> None:
    call, _, leg = dial("<Dial>+15550003333</Dial><Say>They left</Say>")
    call.feed(LegEnded(leg, "USER_BUSY", 486))
    call.done(Outcome(dial_result="USER_BUSY"))
    assert call.runs[0] == PlayPrompts((Say("They left"),))


def test_dial_tells_its_action_when_the_caller_hangs_up_while_talking() -> None:
    call, _, leg = dial("<Dial action='/done'>+15550003333</Dial>")
    call.connect()
    call.feed(LegAnswered(leg))
    call.feed(LegsJoined(A_LEG, leg))
    told_after = of_kind(call.hang_up(after_ms=5000), CallBack)
    parameters = dict(told_after[0].parameters)
    assert (parameters["DialCallStatus"], parameters["DialCallDuration"]) == ("completed", "5")


@pytest.mark.parametrize("news", [[], [LegEnded(LegId(""), "ORIGINATOR_CANCEL", 487)]])
def test_dial_is_canceled_when_the_caller_hangs_up_while_it_rings(news: list[LegEnded]) -> None:
    call, _, leg = dial("<Dial action='/done'>+15550003333</Dial>")
    call.connect()
    call.feed(LegRinging(leg))
    for event in news:
        call.feed(replace(event, leg=leg))
    told_after = of_kind(call.hang_up(after_ms=5000), CallBack)
    assert dict(told_after[0].parameters)["DialCallStatus"] == "canceled"


def test_progress_of_a_dialled_leg_is_told_under_its_own_id() -> None:
    document = "<Dial><Number statusCallback='/leg' statusCallbackEvent='ringing answered completed'>"
    call, _, leg = dial(f"{document}+15550003333</Number></Dial>")
    call.feed(LegRinging(leg))
    call.feed(LegAnswered(leg))
    call.feed(LegEnded(leg, "NORMAL_CLEARING"))
    parameters = [dict(c.parameters) for commands in call.commands for c in of_kind(commands, CallBack)]
    assert [(p["SequenceNumber"], p["CallStatus"], p["Direction"]) for p in parameters] == [
        ("0", "ringing", "outbound-dial"),
        ("1", "in-progress", "outbound-dial"),
        ("2", "completed", "outbound-dial"),
    ]
    assert {p["ParentCallSid"] for p in parameters} == {"CAf4b712e2dbcb45f1ab2cdb5b2a95854a"}


def test_a_recorded_dial_keeps_the_recording_of_a_conversation() -> None:
    call, bridge, leg = dial("<Dial action='/done' record='record-from-answer-dual'>+15550003333</Dial>")
    assert bridge.recording is not None
    assert (bridge.recording.channels, isinstance(call.runs[-1], StopRecording)) == (2, True)
    call.feed(LegAnswered(leg))
    call.feed(LegsJoined(A_LEG, leg))
    commands = call.done(Outcome(dial_result="SUCCESS", joined_leg=leg))
    assert [keep.source for keep in of_kind(commands, KeepRecording)] == ["DialVerb"]
    assert "RecordingUrl" in told(call)


def test_a_redirect_ends_the_callees_leg() -> None:
    call, _, leg = dial("<Dial>+15550003333</Dial>")
    call.feed(LegAnswered(leg))
    commands = effects(call.feed(Redirected("req_1", Link("https://other.example/"))))
    assert commands[:2] == [Interrupt(A_LEG), End(leg, Cause.NORMAL_CLEARING)]


def test_a_conversation_that_ended_while_nobody_looked_is_still_told() -> None:
    call, _, leg = dial("<Dial action='/done'>+15550003333</Dial>")
    call.done(Outcome(dial_result="SUCCESS", joined_leg=leg))
    assert told(call)["DialCallStatus"] == "completed"


# Dial with screening


def test_two_who_part_were_joined() -> None:
    call, _, leg = dial("<Dial action='/done' record='record-from-answer'>+15550003333</Dial>")
    call.feed(LegAnswered(leg))
    call.feed(LegEnded(leg, "NORMAL_CLEARING"), after_ms=2000)
    call.feed(LegsParted(A_LEG, leg))  # nobody listened as they were joined
    (kept,) = of_kind(call.hang_up(), KeepRecording)
    assert kept.source == "DialVerb"
    assert dict(call.last(CallBack).parameters)["DialCallStatus"] == "completed"


def screened() -> tuple[Conversation, LegId, LegId]:
    call = Conversation()
    call.begin("<Dial><Number url='/screen'>+15550003333</Number><Number url='/screen'>+15550004444</Number></Dial>")
    first, second = (command.leg for command in of_kind(call.commands[-1], Originate))
    return call, first, second


def test_screened_targets_are_dialled_while_the_caller_hears_ringing() -> None:
    call, _, _ = screened()
    assert call.runs == (AnswerLeg(), RingBack(None))


def test_the_first_target_that_accepts_is_joined_and_the_others_end() -> None:
    call, first, second = screened()
    call.feed(LegAnswered(second))
    asked = call.last(FetchDocument)
    assert dict(asked.parameters)["CallSid"] == "CA" + second.replace("-", "")
    commands = effects(call.feed(DocumentArrived(asked.token, asked.link.url, "text/xml", b"<Response/>")))
    join = next(command for command in commands if isinstance(command, Join))
    assert commands == [End(first, Cause.LOSE_RACE), Interrupt(A_LEG), join]
    assert (join.leg, join.other) == (A_LEG, second)


def test_a_target_that_leaves_while_the_caller_is_answered_is_not_joined() -> None:
    """The caller's leg would be told to park after a bridge that there is none of, and hang in the next one."""
    call = Conversation()
    call.begin("<Dial answerOnBridge='true'><Number url='/screen'>+15550003333</Number></Dial><Say>Bye</Say>")
    leg = call.last(Originate).leg
    call.feed(LegAnswered(leg))
    asked = call.last(FetchDocument)
    call.feed(DocumentArrived(asked.token, asked.link.url, "text/xml", b"<Response/>"))
    call.feed(LegEnded(leg, "NORMAL_CLEARING"))
    commands = effects(call.done())
    assert [type(command) for command in commands] == [Burst]
    assert call.runs[0] == PlayPrompts((Say("Bye"),))


def test_a_target_that_hangs_up_in_its_document_declines() -> None:
    call, first, second = screened()
    call.feed(LegAnswered(first))
    asked = call.last(FetchDocument)
    body = b"<Response><Hangup/></Response>"
    commands = effects(call.feed(DocumentArrived(asked.token, asked.link.url, "text/xml", body)))
    assert commands == [End(first, Cause.NORMAL_CLEARING)]
    call.feed(LegEnded(first, "NORMAL_CLEARING"))
    assert effects(call.feed(LegEnded(second, "NO_ANSWER", 487)))[0] == Interrupt(A_LEG)


def test_after_a_screened_conversation_the_next_verb_follows() -> None:
    call = Conversation()
    call.begin("<Dial><Number url='/screen'>+15550003333</Number></Dial><Say>Bye</Say>")
    leg = of_kind(call.commands[-1], Originate)[0].leg
    call.feed(LegAnswered(leg))
    asked = call.last(FetchDocument)
    call.feed(DocumentArrived(asked.token, asked.link.url, "text/xml", b"<Response/>"))
    call.feed(LegsJoined(A_LEG, leg))
    call.feed(LegsParted(A_LEG, leg))
    assert call.runs[0] == PlayPrompts((Say("Bye"),))


def test_a_screening_document_can_gather() -> None:
    call, first, _ = screened()
    call.feed(LegAnswered(first))
    asked = call.last(FetchDocument)
    body = b"<Response><Gather numDigits='1' action='/accept'/><Hangup/></Response>"
    call.feed(DocumentArrived(asked.token, asked.link.url, "text/xml", body))
    burst = call.last(Burst)
    assert (burst.leg, burst.runs) == (first, (Collect((), 1, "#", 5),))
    call.feed(BurstDone(first, burst.token, Outcome(digits="1")))
    accepted = call.last(FetchDocument)
    commands = call.feed(DocumentArrived(accepted.token, accepted.link.url, "text/xml", b"<Response/>"))
    assert len(of_kind(commands, Join)) == 1


def test_a_screening_document_cannot_dial() -> None:
    call, first, _ = screened()
    call.feed(LegAnswered(first))
    asked = call.last(FetchDocument)
    body = b"<Response><Dial>+15550005555</Dial></Response>"
    commands = call.feed(DocumentArrived(asked.token, asked.link.url, "text/xml", body))
    assert [note.code for note in of_kind(commands, Note)] == [13201]


def test_the_callees_legs_end_with_the_call() -> None:
    call, first, second = screened()
    ended = of_kind(call.hang_up(), End)
    assert {end.leg for end in ended} == {first, second}
