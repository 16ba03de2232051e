"""The media node dies and another goes on: what is said there, what is not, and what ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from controlplane.base.causes import Result, Verdict
from controlplane.base.ids import LegId
from controlplane.calls.commands import (
    Burst,
    Claim,
    End,
    FetchDocument,
    Finish,
    Interrupt,
    Join,
    KeepRecording,
    Originate,
    Publish,
    StayAfterParting,
)
from controlplane.calls.events import (
    BurstDone,
    DocumentArrived,
    Event,
    HangUpAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Moved,
    Outcome,
    Redirected,
    Resumed,
)
from controlplane.calls.runs import Bridge, PlayPrompts, RecordVoice, StartRecording, recording_of
from controlplane.verbs.documents import Link, Say

from .conversation import A_LEG, INBOUND, OUTBOUND, Conversation, effects, of_kind, told

CLAIM = Claim(A_LEG, 14_400)
MOVED = Moved("n2")
DIAL = "<Dial action='/done' record='record-from-answer'><Number>+15550003333</Number></Dial>"


def dialling(document: str = DIAL) -> tuple[Conversation, LegId]:
    """A caller who hears that another phone rings, and that leg."""
    call = Conversation()
    call.begin(f"<Say>One moment</Say>{document}<Say>Bye</Say>")
    call.connect()
    (branch,) = next(run for run in call.runs if isinstance(run, Bridge)).branches
    call.feed(LegRinging(branch.leg))
    return call, branch.leg


def test_the_longest_duration_goes_on_from_the_answer() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.connect()
    assert effects(call.feed(MOVED, 60_000))[0] == Claim(A_LEG, 14_340)


def test_what_a_leg_was_sent_is_sent_again_from_its_beginning() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say><Gather><Say>Press</Say></Gather>")
    burst = call.last(Burst)
    assert effects(call.feed(MOVED)) == [CLAIM, burst]
    call.feed(BurstDone(A_LEG, burst.token, Outcome(digits="5")))
    assert told(call) == {"Digits": "5"}
    assert call.machine.moves == 1


def test_what_was_heard_before_is_not_said_again() -> None:
    call = Conversation()
    call.begin("<Gather><Say>Press</Say></Gather><Say>Nothing pressed</Say>")
    call.done()
    (again,) = of_kind(call.feed(MOVED), Burst)
    assert PlayPrompts((Say("Nothing pressed"),)) in again.runs
    assert PlayPrompts((Say("Press"),)) not in again.runs


def test_a_question_that_waits_for_its_answer_is_put_again() -> None:
    call = Conversation()
    asked = of_kind(call.offer(), FetchDocument)
    assert effects(call.feed(MOVED)) == [CLAIM, *asked]


def test_two_who_talk_talk_on_and_the_caller_stays_when_the_other_leaves() -> None:
    call, callee = dialling()
    call.feed(LegsJoined(A_LEG, callee))
    assert effects(call.feed(MOVED)) == [CLAIM, StayAfterParting(A_LEG)]
    commands = call.feed(LegEnded(callee, "NORMAL_CLEARING"))
    assert effects(commands) == [Interrupt(A_LEG), call.last(FetchDocument)]
    assert told(call)["DialCallStatus"] == "completed"
    (kept,) = of_kind(commands, KeepRecording)
    assert (kept.source, kept.node) == ("DialVerb", "n1")


def test_parted_by_a_key_the_caller_goes_on_and_the_other_is_ended() -> None:
    call, callee = dialling()
    call.feed(LegsJoined(A_LEG, callee))
    call.feed(MOVED)
    commands = effects(call.feed(LegsParted(A_LEG, callee)))
    assert [type(command).__name__ for command in commands] == ["End", "Interrupt", "FetchDocument"]


def test_a_leg_that_rang_is_lost_with_its_node_and_nobody_is_dialled_again() -> None:
    call, callee = dialling()
    call.feed(LegEnded(callee, "NODE_LOST"))
    commands = effects(call.feed(MOVED))
    assert commands == [CLAIM, call.last(FetchDocument)]
    assert told(call)["DialCallStatus"] == "failed"


def test_a_leg_that_rang_is_told_as_lost_when_that_comes_after_the_move() -> None:
    call, callee = dialling()
    commands = effects(call.feed(MOVED))
    assert commands == [CLAIM, call.last(FetchDocument)]
    assert told(call)["DialCallStatus"] == "failed"
    told_of_it = of_kind(call.feed(LegEnded(callee, "NODE_LOST")), Publish)
    assert [dict(one.data)["reason"] for one in told_of_it] == ["node_lost"]


def test_two_who_were_being_parted_are_parted_on_the_next_node() -> None:
    call, callee = dialling()
    call.feed(LegsJoined(A_LEG, callee))
    commands = call.feed(Redirected("req", Link("https://app.example/other")))
    (end,), (interrupt,), (question,) = (of_kind(commands, kind) for kind in (End, Interrupt, FetchDocument))
    assert effects(call.feed(MOVED)) == [CLAIM, interrupt, end, question]


@pytest.mark.parametrize("waits", [True, False])
def test_by_whom_a_dial_reached_is_known_at_the_move_and_what_leads_on_waits_for_it(waits: bool) -> None:
    call, callee = dialling()
    screened = Conversation()
    screened.begin("<Say>Hi</Say><Dial><Number url='/screen'>+15550003333</Number></Dial>")
    agent = screened.last(Originate).leg
    events: dict[bool, list[Event]] = {
        True: [LegEnded(callee, "NODE_LOST"), LegsParted(A_LEG, callee), HangUpAsked("req")],
        False: [LegAnswered(callee), LegsJoined(A_LEG, callee), LegEnded(A_LEG, "NODE_LOST"), MOVED],
    }
    assert {call.machine.waits_until_moved(event) for event in events[waits]} == {waits}
    assert screened.machine.waits_until_moved(LegAnswered(agent))
    call.hang_up()
    assert not call.machine.waits_until_moved(LegEnded(callee, "NODE_LOST"))


def test_what_was_recorded_is_kept_from_the_node_that_died_and_recorded_anew() -> None:
    call = Conversation()
    call.begin("<Say>Speak</Say><Record action='/done'/>")
    call.connect()
    first = recording_of(call.runs[-1])
    commands = call.feed(MOVED)
    (kept,) = of_kind(commands, KeepRecording)
    assert (kept.recording, kept.node, kept.duration_ms) == (first, "n1", None)
    (again,) = of_kind(commands, Burst)
    second = recording_of(again.runs[-1])
    assert isinstance(again.runs[-1], RecordVoice)
    assert second not in (first, "")
    assert PlayPrompts((Say("Speak"),)) in again.runs
    commands = call.feed(BurstDone(A_LEG, again.token, Outcome(record_ms=2000)))
    assert [(kept.recording, kept.node) for kept in of_kind(commands, KeepRecording)] == [(second, "n2")]


def test_the_recording_of_a_whole_call_goes_on_in_another_file() -> None:
    call = Conversation(replace(INBOUND, record=True))
    call.begin("<Pause length='2'/><Say>Hello</Say><Gather/>")
    call.connect()
    first = next(filter(None, map(recording_of, call.runs)))
    call.done(Outcome(digits="1"))
    commands = call.feed(MOVED)
    assert [(kept.recording, kept.node) for kept in of_kind(commands, KeepRecording)] == [(first, "n1")]
    (burst,) = of_kind(commands, Burst)
    (run,) = burst.runs
    assert isinstance(run, StartRecording)
    commands = call.hang_up()
    assert [(kept.recording, kept.node) for kept in of_kind(commands, KeepRecording)] == [(run.recording, "n2")]


def test_a_callee_who_comes_along_without_the_caller_is_ended_and_nothing_else_is_said() -> None:
    call = Conversation(replace(INBOUND, record=True))
    call.begin("<Say>One moment</Say><Dial><Number url='/screen'>+15550003333</Number></Dial>")
    call.connect()
    agent = call.last(Originate).leg
    call.feed(LegAnswered(agent))
    (end,) = of_kind(call.hang_up("NODE_LOST"), End)
    assert call.feed(MOVED) == (Claim(agent, 14_400), end)


def test_a_burst_that_begins_a_recording_begins_another_on_the_next_node() -> None:
    call = Conversation(replace(INBOUND, record=True))
    call.begin("<Say>Hello</Say>")
    call.connect()
    first = next(filter(None, map(recording_of, call.runs)))
    (again,) = of_kind(call.feed(MOVED), Burst)
    second = next(filter(None, map(recording_of, again.runs)))
    assert second != first
    assert [type(run) for run in again.runs] == [type(run) for run in call.runs]


def test_a_leg_that_was_screened_is_joined_on_the_next_node_where_it_was_not_yet() -> None:
    call = Conversation()
    call.begin("<Say>One moment</Say><Dial><Number url='/screen'>+15550003333</Number></Dial>")
    call.connect()
    agent = call.last(Originate).leg
    call.feed(LegAnswered(agent))
    call.feed(DocumentArrived(call.last(FetchDocument).token, "https://app.example/screen", "text/xml", b"<Response/>"))
    join = call.last(Join)
    assert effects(call.feed(MOVED)) == [CLAIM, Claim(agent, 14_400), join]
    call.feed(LegsJoined(A_LEG, agent))
    assert effects(call.feed(Moved("n3"))) == [CLAIM, Claim(agent, 14_400), StayAfterParting(A_LEG)]


def test_a_call_that_rang_ends_with_a_verdict_that_names_the_node() -> None:
    call = Conversation(OUTBOUND)
    call.offer()
    (finish,) = of_kind(call.hang_up("NODE_LOST"), Finish)
    assert finish.verdict == Verdict(Result.FAILED, "node-lost")


def test_an_answered_call_that_is_lost_with_its_node_says_so() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.connect()
    (finish,) = of_kind(call.hang_up("NODE_LOST"), Finish)
    assert finish.verdict == Verdict(Result.COMPLETED, "node-lost")


def test_whoever_takes_a_moved_call_over_looks_what_was_sent_to_the_next_node() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.feed(MOVED)
    assert [type(command).__name__ for command in effects(call.feed(Resumed("second")))] == ["Claim", "LookAt"]


def test_whoever_takes_a_moved_call_over_has_the_caller_stay_as_long_as_two_talk() -> None:
    call, callee = dialling()
    call.feed(LegsJoined(A_LEG, callee))
    call.feed(MOVED)
    assert effects(call.feed(Resumed("second"))) == [CLAIM, StayAfterParting(A_LEG)]
    call.feed(LegEnded(callee, "NORMAL_CLEARING"))
    assert StayAfterParting(A_LEG) not in call.feed(Resumed("third"))
