"""Each verb: what it runs, what it tells its action, and what comes after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.causes import Cause, Result, Verdict
from controlplane.calls.commands import (
    CallBack,
    FetchDocument,
    Finish,
    KeepRecording,
    Note,
)
from controlplane.calls.events import (
    Outcome,
)
from controlplane.calls.plans import APPLICATION_ERROR, MOST_IDLE_DOCUMENTS
from controlplane.calls.runs import (
    AnswerLeg,
    Bridge,
    Collect,
    HangUpLeg,
    PlayPrompts,
    RecordVoice,
    SendKeys,
    Wait,
)
from controlplane.verbs.documents import Link, Play, RecordingCallback, Say

from .conversation import ACTION, APP_URL, INBOUND, Conversation, effects, of_kind, told

# Say, Play, Pause


def test_a_pause_as_the_first_verb_lets_it_ring_on() -> None:
    call = Conversation()
    call.begin("<Pause length='3'/><Say>Hello</Say>")
    assert call.runs[:3] == (Wait(3000), AnswerLeg(), PlayPrompts((Say("Hello"),)))


def test_relative_urls_start_from_the_document() -> None:
    call = Conversation()
    call.begin("<Play>sounds/hello.wav</Play>")
    assert call.runs[1] == PlayPrompts((Play("https://app.example/sounds/hello.wav"),))


def test_play_sends_digits() -> None:
    call = Conversation()
    call.begin("<Play digits='1w2'/>")
    assert call.runs[:2] == (AnswerLeg(), SendKeys("1w2"))


# Gather


def test_gather_collects_while_its_prompts_play() -> None:
    call = Conversation()
    call.begin("<Say>Hi</Say><Gather numDigits='4' timeout='7' finishOnKey='*'><Say>Your code</Say></Gather>")
    assert call.runs == (AnswerLeg(), PlayPrompts((Say("Hi"),)), Collect((Say("Your code"),), 4, "*", 7))


def test_gather_tells_its_action_the_digits() -> None:
    call = Conversation()
    call.begin("<Gather action='/done'/>")
    call.done(Outcome(digits="42", terminator="#"))
    assert (call.last(FetchDocument).link, told(call)) == (Link(ACTION), {"Digits": "42", "FinishedOnKey": "#"})


def test_gather_without_action_asks_its_own_document_again() -> None:
    call = Conversation()
    call.begin("<Gather/>")
    call.done(Outcome(digits="1"))
    assert call.last(FetchDocument).link == Link(APP_URL)


def test_gather_without_digits_goes_on_with_the_next_verb() -> None:
    call = Conversation()
    call.begin("<Gather/><Say>Nobody there</Say>")
    call.done()
    assert call.runs[0] == PlayPrompts((Say("Nobody there"),))


def test_gather_tells_its_action_of_nothing_where_it_wants_that() -> None:
    call = Conversation()
    call.begin("<Gather action='/done' actionOnEmptyResult='true'/>")
    call.done()
    assert told(call) == {"Digits": ""}


def test_gather_passes_over_a_finish_key_before_any_digit() -> None:
    call = Conversation()
    call.begin("<Gather action='/done'><Say>Your code</Say></Gather>")
    call.done(Outcome(terminator="#"))
    assert call.runs == (Collect((), 127, "#", 5),)
    call.done(Outcome(digits="7"))
    assert told(call) == {"Digits": "7"}


def test_gather_asks_nothing_when_the_caller_hangs_up() -> None:
    call = Conversation()
    call.begin("<Gather action='/done'/>")
    call.connect()
    assert of_kind(call.hang_up(), CallBack) == []


# Record


def test_record_keeps_the_message_and_tells_its_action() -> None:
    call = Conversation()
    call.begin("<Record action='/done' maxLength='30' finishOnKey='#' timeout='3' playBeep='false'/>")
    run = call.runs[1]
    assert isinstance(run, RecordVoice)
    assert run == RecordVoice(run.recording, "#", 3, 30, False)
    commands = call.done(Outcome(record_ms=4200, record_terminator="#"))
    assert of_kind(commands, KeepRecording)[0].recording == run.recording
    assert (told(call)["RecordingDuration"], told(call)["Digits"]) == ("4", "#")
    assert told(call)["RecordingUrl"].startswith("https://api.example/2010-04-01/Accounts/AC")


def test_record_of_nothing_goes_on_with_the_next_verb() -> None:
    call = Conversation()
    call.begin("<Record action='/done'/><Say>Silence</Say>")
    call.done(Outcome(record_ms=0))
    assert call.runs[0] == PlayPrompts((Say("Silence"),))


def test_record_is_kept_and_told_when_the_caller_hangs_up() -> None:
    call = Conversation()
    call.begin("<Record action='/done'/>")
    call.connect()
    commands = call.hang_up(after_ms=2500)
    assert len(of_kind(commands, KeepRecording)) == 1
    action = of_kind(commands, CallBack)[0]
    parameters = dict(action.parameters)
    assert (action.link, parameters["Digits"], parameters["CallStatus"]) == (Link(ACTION), "hangup", "completed")


@pytest.mark.parametrize("verb", ["<Record {}/>", "<Dial record='true' {}>+15550003333</Dial>"])
def test_callbacks_of_recordings_start_from_the_document(verb: str) -> None:
    call = Conversation()
    call.begin(verb.format("recordingStatusCallback='/kept' recordingStatusCallbackMethod='GET'"))
    leg = next((branch.leg for run in call.runs if isinstance(run, Bridge) for branch in run.branches), "")
    commands = call.done(Outcome(record_ms=4200, dial_result="SUCCESS", joined_leg=leg))
    callback = of_kind(commands, KeepRecording)[0].callback
    assert callback == RecordingCallback(Link("https://app.example/kept", "GET"))


def test_names_of_recordings_cannot_be_guessed_from_the_call() -> None:
    calls = [Conversation(replace(INBOUND, salt=salt)) for salt in ("a", "b")]
    for call in calls:
        call.begin("<Record/>")
    names = {run.recording for call in calls for run in call.runs if isinstance(run, RecordVoice)}
    assert len(names) == 2


# Redirect, Reject, Hangup


def test_redirect_asks_when_the_prompts_before_it_are_through() -> None:
    call = Conversation()
    call.begin("<Say>Hold on</Say><Redirect method='GET'>/next?a=1&amp;b=2</Redirect>")
    assert call.runs == (AnswerLeg(), PlayPrompts((Say("Hold on"),)))
    call.done()
    assert call.last(FetchDocument).link == Link("https://app.example/next?a=1&b=2", "GET")


def test_documents_that_only_redirect_are_given_up() -> None:
    call = Conversation()
    call.offer()
    for _ in range(MOST_IDLE_DOCUMENTS - 1):
        assert [type(command) for command in effects(call.answer_with("<Redirect/>"))] == [FetchDocument]
    problem = "100 documents in a row did nothing"
    assert call.answer_with("<Redirect/>")[0] == Note("error", 11215, problem, "Redirect")
    assert call.runs == (AnswerLeg(), PlayPrompts((Say(APPLICATION_ERROR),)), HangUpLeg(Cause.NORMAL_CLEARING))


def test_documents_that_are_heard_may_redirect_for_ever() -> None:
    call = Conversation()
    call.offer()
    for _ in range(MOST_IDLE_DOCUMENTS + 1):
        call.answer_with("<Say>Round and round.</Say><Redirect/>")
        assert [type(command) for command in effects(call.done())] == [FetchDocument]


def test_reject_refuses_without_answering() -> None:
    call = Conversation()
    call.begin("<Reject reason='busy'/>")
    assert call.runs == (HangUpLeg(Cause.USER_BUSY),)
    finish = of_kind(call.hang_up("USER_BUSY"), Finish)
    assert finish == [Finish(Verdict(Result.BUSY, "rejected-by-application"))]


def test_a_rejected_call_was_not_answered() -> None:
    call = Conversation()
    call.begin("<Reject/>")
    assert call.runs == (HangUpLeg(Cause.UNALLOCATED_NUMBER),)
    finish = of_kind(call.hang_up("UNALLOCATED_NUMBER"), Finish)
    assert finish == [Finish(Verdict(Result.NO_ANSWER, "rejected-by-application"))]


def test_hangup_as_the_first_verb_answers_before_it_ends() -> None:
    call = Conversation()
    call.begin("<Hangup/>")
    assert call.runs == (AnswerLeg(), HangUpLeg(Cause.NORMAL_CLEARING))


def test_notes_name_what_is_wrong() -> None:
    call = Conversation(replace(INBOUND, document=None))
    assert of_kind(call.offer(), Note)[0].where == "app"
