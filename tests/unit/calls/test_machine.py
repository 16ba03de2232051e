"""The life of a call, from its offer to its verdict."""

from __future__ import annotations

from dataclasses import replace

from controlplane.base.causes import Cause, Result, Verdict
from controlplane.calls.commands import (
    Acknowledge,
    Burst,
    CallBack,
    Claim,
    End,
    FetchDocument,
    Finish,
    Interrupt,
    LookAt,
    Mute,
    Note,
    Originate,
    Publish,
    Ring,
    TakeInline,
)
from controlplane.calls.events import (
    BurstDone,
    BurstLooked,
    DocumentFailed,
    HangUpAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    MuteAsked,
    OriginateFailed,
    Outcome,
    Redirected,
    Resumed,
)
from controlplane.calls.facts import Inline
from controlplane.calls.plans import APPLICATION_ERROR
from controlplane.calls.runs import AnswerLeg, HangUpLeg, PlayPrompts, SendKeys, StartRecording
from controlplane.verbs.documents import Link, Number, Pause, Say, StatusCallback, StatusEvent

from .conversation import A_LEG, APP_URL, INBOUND, OUTBOUND, Conversation, effects, of_kind, token

ALL_EVENTS = StatusCallback(Link("https://app.example/status"), frozenset(StatusEvent))


def test_an_offered_call_is_claimed_rings_and_asks_its_application() -> None:
    commands = effects(Conversation().offer())
    assert commands[:2] == [Claim(A_LEG, 14_400), Ring(A_LEG)]
    assert isinstance(commands[2], FetchDocument)
    assert (commands[2].link, len(commands)) == (Link(APP_URL), 3)


def test_the_application_is_told_who_calls_whom() -> None:
    call = Conversation()
    call.offer()
    assert call.last(FetchDocument).parameters == (
        ("CallSid", "CAf4b712e2dbcb45f1ab2cdb5b2a95854a"),
        ("AccountSid", "AC018bcfe5680030313233343536373839"),
        ("From", "+15550001111"),
        ("To", "+15550002222"),
        ("Caller", "+15550001111"),
        ("Called", "+15550002222"),
        ("CallStatus", "ringing"),
        ("ApiVersion", "2010-04-01"),
        ("Direction", "inbound"),
    )


def test_prompts_and_the_hang_up_after_them_go_out_as_one_burst() -> None:
    call = Conversation()
    commands = call.begin("<Say>Hello</Say><Pause length='2'/><Say>Bye</Say><Hangup/>")
    prompts = PlayPrompts((Say("Hello"), Pause(2), Say("Bye")))
    assert commands == (Burst(A_LEG, token(1, 1), (AnswerLeg(), prompts, HangUpLeg(Cause.NORMAL_CLEARING))),)


def test_a_call_has_one_verdict_when_it_is_over() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.connect()
    finishes = of_kind(call.hang_up(after_ms=1500), Finish)
    assert finishes == [Finish(Verdict(Result.COMPLETED, "normal-clearing"))]
    assert (call.machine.is_over, call.machine.status) == (True, "completed")


def test_a_caller_who_gives_up_while_it_rings_cancels_the_call() -> None:
    call = Conversation()
    call.offer()
    assert of_kind(call.hang_up("ORIGINATOR_CANCEL"), Finish) == [Finish(Verdict(Result.CANCELED, "caller-canceled"))]


def test_every_status_is_told_once_with_numbers_in_order() -> None:
    call = Conversation(replace(INBOUND, status_callback=ALL_EVENTS))
    call.begin("<Say>Hello</Say>")
    call.connect()
    call.feed(LegAnswered(A_LEG))
    call.hang_up(after_ms=61_000)
    told = [dict(c.parameters) for commands in call.commands for c in of_kind(commands, CallBack)]
    assert [(t["SequenceNumber"], t["CallStatus"]) for t in told] == [
        ("0", "initiated"),
        ("1", "ringing"),
        ("2", "in-progress"),
        ("3", "completed"),
    ]
    assert (told[3]["CallDuration"], told[3]["Duration"], told[3]["SipResponseCode"]) == ("61", "2", "200")
    assert told[3]["Timestamp"] == "Tue, 14 Nov 2023 22:14:21 -0000"


def test_the_account_gets_events_as_they_happen() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.connect()
    call.hang_up()
    kinds = [publish.kind for commands in call.commands for publish in of_kind(commands, Publish)]
    assert kinds == ["call.initiated", "call.ringing", "call.answered", "call.completed"]


# Documents that fail


def test_a_failed_document_is_the_fallbacks_turn_which_is_told_why() -> None:
    call = Conversation(replace(INBOUND, fallback=Link("https://app.example/fallback", "GET")))
    call.offer()
    asked = call.last(FetchDocument)
    commands = call.feed(DocumentFailed(asked.token, asked.link.url, "answered 500", 11200))
    assert of_kind(commands, Note) == [Note("error", 11200, "answered 500", APP_URL)]
    fetch = of_kind(commands, FetchDocument)[0]
    told = dict(fetch.parameters)
    assert (fetch.link.url, fetch.link.method) == ("https://app.example/fallback", "GET")
    assert (told["ErrorCode"], told["ErrorUrl"]) == ("11200", APP_URL)


def test_a_broken_document_without_fallback_is_said_to_the_caller() -> None:
    call = Conversation()
    commands = call.begin("<Say>Hello</Say")
    assert [note.code for note in of_kind(commands, Note)] == [12100]
    prompts = PlayPrompts((Say(APPLICATION_ERROR),))
    assert call.runs == (AnswerLeg(), prompts, HangUpLeg(Cause.NORMAL_CLEARING))


def test_a_fallback_that_fails_too_is_not_asked_again() -> None:
    call = Conversation(replace(INBOUND, fallback=Link("https://app.example/fallback")))
    call.offer()
    for _ in range(2):
        asked = call.last(FetchDocument)
        call.feed(DocumentFailed(asked.token, asked.link.url, "timed out", 11205))
    assert call.runs[1] == PlayPrompts((Say(APPLICATION_ERROR),))


def test_a_number_without_an_application_says_so_and_ends() -> None:
    call = Conversation(replace(INBOUND, document=None))
    commands = call.offer()
    assert [note.code for note in of_kind(commands, Note)] == [21218]
    assert call.runs == (HangUpLeg(Cause.NORMAL_CLEARING),)


def test_warnings_of_a_document_are_noted_and_the_call_goes_on() -> None:
    call = Conversation()
    commands = call.begin("<Dance/><Say>Hello</Say>")
    assert [(note.level, note.code) for note in of_kind(commands, Note)] == [("warning", 12200)]
    assert PlayPrompts((Say("Hello"),)) in call.runs


# Calls that the API places


def test_a_placed_call_is_dialled_and_asks_nothing_before_the_answer() -> None:
    call = Conversation(OUTBOUND)
    assert effects(call.offer()) == [
        Originate(A_LEG, token(0, 2), Number("+15550002222"), "+15550001111", "", 60, 14_400)  # type: ignore[arg-type]
    ]
    assert effects(call.feed(LegRinging(A_LEG))) == []
    assert call.machine.status == "ringing"
    assert isinstance(effects(call.feed(LegAnswered(A_LEG)))[0], FetchDocument)


def test_a_placed_call_that_is_busy_ends_so() -> None:
    call = Conversation(OUTBOUND)
    call.offer()
    commands = call.feed(LegEnded(A_LEG, "USER_BUSY", 486))
    assert of_kind(commands, Finish) == [Finish(Verdict(Result.BUSY, "user-busy"))]


def test_a_call_that_cannot_be_dialled_fails() -> None:
    call = Conversation(OUTBOUND)
    call.offer()
    commands = call.feed(OriginateFailed(A_LEG, "INVALID_GATEWAY"))
    assert of_kind(commands, Finish) == [Finish(Verdict(Result.FAILED, "invalid-gateway"))]


def test_keys_and_the_recording_of_a_call_come_before_its_document() -> None:
    call = Conversation(replace(OUTBOUND, send_digits="ww12", record=True))
    call.offer()
    call.feed(LegAnswered(A_LEG))
    call.answer_with("<Say>Hello</Say>")
    assert isinstance(call.runs[0], StartRecording)
    assert call.runs[1:3] == (SendKeys("ww12"), PlayPrompts((Say("Hello"),)))


def test_an_inline_document_is_taken_without_asking_anyone() -> None:
    inline = Inline("text/xml", "<Response><Hangup/></Response>")
    call = Conversation(replace(INBOUND, document=inline))
    assert of_kind(call.offer(), TakeInline) == [TakeInline(token(0, 3), inline)]


# Requests of the API


def test_a_redirect_breaks_off_what_runs_and_asks_the_new_url() -> None:
    call = Conversation()
    call.begin("<Gather/>")
    commands = effects(call.feed(Redirected("req_1", Link("https://other.example/"))))
    assert commands[0] == Interrupt(A_LEG)
    assert isinstance(commands[1], FetchDocument)
    assert commands[1].link == Link("https://other.example/")


def test_what_comes_late_from_before_a_redirect_changes_nothing() -> None:
    call = Conversation()
    call.begin("<Gather/>")
    old = call.last(Burst)
    call.feed(Redirected("req_1", Link("https://other.example/")))
    assert not call.machine.concerns(BurstDone(A_LEG, old.token, Outcome(digits="1")))
    assert call.feed(BurstDone(A_LEG, old.token, Outcome(digits="1"))) == ()


def test_a_redirect_while_a_placed_call_rings_waits_for_the_answer() -> None:
    call = Conversation(OUTBOUND)
    call.offer()
    assert effects(call.feed(Redirected("req_1", Link("https://other.example/")))) == []
    fetch = effects(call.feed(LegAnswered(A_LEG)))[0]
    assert isinstance(fetch, FetchDocument)
    assert fetch.link.url == "https://other.example/"


def test_a_hang_up_through_the_api_before_the_answer_cancels() -> None:
    call = Conversation(OUTBOUND)
    call.offer()
    commands = call.feed(HangUpAsked("req_1"))
    assert commands == (End(A_LEG, Cause.MANAGER_REQUEST), Acknowledge("req_1"))
    ended = call.feed(LegEnded(A_LEG, "MANAGER_REQUEST", 487))
    assert of_kind(ended, Finish) == [Finish(Verdict(Result.CANCELED, "canceled"))]


def test_a_request_is_carried_out_once() -> None:
    call = Conversation()
    call.begin("<Pause/>")
    assert call.feed(MuteAsked("req_1", A_LEG, True)) == (Mute(A_LEG, True), Acknowledge("req_1"))
    assert not call.machine.concerns(MuteAsked("req_1", A_LEG, True))


# A change of owner


def test_a_document_that_has_not_come_is_asked_for_again_under_its_token() -> None:
    call = Conversation()
    call.offer()
    asked = call.last(FetchDocument)
    assert effects(call.feed(Resumed("server-2"))) == [Claim(A_LEG, 14_400), asked]


def test_of_a_burst_under_way_it_is_found_out_whether_it_reached_the_channel() -> None:
    call = Conversation()
    call.begin("<Gather/>")
    burst = call.last(Burst)
    assert effects(call.feed(Resumed("server-2"))) == [Claim(A_LEG, 14_400), LookAt(A_LEG, burst.token)]
    assert effects(call.feed(BurstLooked(A_LEG, burst.token, last_sent=""))) == [burst]


def test_a_burst_that_ended_while_nobody_looked_is_taken_as_done() -> None:
    call = Conversation()
    call.begin("<Gather action='/got'/>")
    burst = call.last(Burst)
    call.feed(Resumed("server-2"))
    commands = effects(call.feed(BurstLooked(A_LEG, burst.token, burst.token, Outcome(digits="42"))))
    assert isinstance(commands[0], FetchDocument)
    assert dict(commands[0].parameters)["Digits"] == "42"


def test_a_leg_that_was_to_end_is_ended_again() -> None:
    call = Conversation()
    call.begin("<Pause/>")
    call.connect()
    call.feed(HangUpAsked("req_1"))
    assert End(A_LEG, Cause.MANAGER_REQUEST) in effects(call.feed(Resumed("server-2")))
