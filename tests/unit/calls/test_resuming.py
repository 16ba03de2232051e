"""After a change of owner: what is said again, and what is not."""

from __future__ import annotations

import pytest

from controlplane.base import ids
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import Burst, Claim, FetchDocument, Interrupt, Join, LookAt, Originate
from controlplane.calls.events import (
    BurstLooked,
    DocumentArrived,
    LegAnswered,
    LegEnded,
    LegsJoined,
    LegsParted,
    Outcome,
    Redirected,
    Resumed,
)
from controlplane.calls.facts import Inline
from controlplane.calls.runs import Bridge, HangUpLeg, PlayPrompts, Run, StartRecording
from controlplane.verbs.documents import Say

from .conversation import A_LEG, INBOUND, Conversation, effects, of_kind, token

CLAIM = Claim(A_LEG, 14_400)


def joining(
    document: str = "<Dial record='record-from-answer'><Number url='/screen'>+15550003333</Number></Dial>",
) -> tuple[Conversation, LegId]:
    """A call whose agent accepted a moment ago: the caller's ringing is broken off, and the two are to be joined."""
    call = Conversation()
    call.begin(f"<Say>One moment</Say>{document}<Say>Bye</Say>")
    call.connect()
    agent = call.last(Originate).leg
    call.feed(LegAnswered(agent))
    call.feed(DocumentArrived(call.last(FetchDocument).token, "https://app.example/screen", "text/xml", b"<Response/>"))
    return call, agent


def test_of_two_bursts_on_a_leg_the_first_is_not_sent_again_when_the_second_reached_it() -> None:
    call = Conversation()
    call.begin("<Say>One moment</Say><Dial><Number url='/screen'>+15550003333</Number></Dial>")
    call.connect()
    first = call.last(Burst)
    call.feed(Resumed("second"))
    later = ids.token_of(INBOUND.call, 7, 1)
    assert effects(call.feed(BurstLooked(A_LEG, first.token, later))) == []
    assert not call.machine.concerns(BurstLooked(A_LEG, first.token, later))


def test_the_ringing_that_was_broken_off_is_not_looked_at_and_not_heard_again() -> None:
    call, agent = joining()
    burst, join = call.last(Burst), call.last(Join)
    assert effects(call.commands[-1]) == [Interrupt(A_LEG), burst, join]
    assert [type(run) for run in burst.runs] == [StartRecording]
    assert effects(call.feed(Resumed("second"))) == [CLAIM, LookAt(A_LEG, burst.token), join]
    assert join == Join(A_LEG, agent, join.token)


@pytest.mark.parametrize("last_sent", ["", "no-token", token(0, 1), token(1, 0)])
def test_a_burst_that_did_not_reach_the_leg_is_sent_again(last_sent: str) -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    burst = call.last(Burst)
    call.feed(Resumed("second"))
    assert effects(call.feed(BurstLooked(A_LEG, burst.token, last_sent))) == [burst]


def test_of_a_burst_that_reached_the_leg_in_part_the_rest_is_sent() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    burst = call.last(Burst)
    assert len(burst.runs) == 3
    call.feed(Resumed("second"))
    rest: tuple[Run, ...] = (PlayPrompts((Say("Hello"),)), HangUpLeg(burst.runs[-1].cause))  # type: ignore[union-attr]
    assert effects(call.feed(BurstLooked(A_LEG, burst.token, f"{burst.token}-2"))) == [Burst(A_LEG, burst.token, rest)]
    call.feed(Resumed("third"))
    end = Burst(A_LEG, burst.token, rest[1:])
    assert effects(call.feed(BurstLooked(A_LEG, burst.token, f"{burst.token}-1"))) == [end]


def test_a_leg_that_was_joined_is_brought_back_when_the_conversation_ends() -> None:
    call, agent = joining()
    call.feed(LegsJoined(A_LEG, agent))
    commands = effects(call.feed(LegsParted(A_LEG, agent)))
    assert commands[1] == Interrupt(A_LEG)
    assert [type(command) for command in commands[2:]] == [Burst]


def test_a_leg_is_brought_back_by_whoever_learns_that_the_other_party_left() -> None:
    call, agent = joining("<Dial action='/after'><Number url='/screen'>+15550003333</Number></Dial>")
    call.feed(LegsJoined(A_LEG, agent))
    call.feed(Resumed("second"))
    commands = effects(call.feed(LegEnded(agent, "LOST")))
    assert commands == [Interrupt(A_LEG), call.last(FetchDocument)]
    assert effects(call.feed(Resumed("third"))) == [CLAIM, Interrupt(A_LEG), call.last(FetchDocument)]


def test_a_redirect_takes_a_leg_out_of_a_conversation_that_we_joined() -> None:
    call, agent = joining()
    call.feed(LegsJoined(A_LEG, agent))
    assert of_kind(call.feed(Redirected("req_1", Inline("text/xml", "<Response/>"))), Interrupt) == [Interrupt(A_LEG)]


def test_tokens_of_a_call_are_ordered_as_they_were_made() -> None:
    made = [Token(""), token(0, 1), token(0, 2), token(2, 1), token(10, 1)]
    assert [[ids.is_later(one, other) for one in made] for other in made] == [
        [number > place for number in range(len(made))] for place in range(len(made))
    ]


@pytest.mark.parametrize(("talked_ms", "left_s"), [(0, 14_400), (4_999, 14_396), (14_400_000, 0), (20_000_000, 0)])
def test_the_longest_duration_counts_from_the_answer_whoever_goes_on(talked_ms: int, left_s: int) -> None:
    """It once began anew with each change of owner."""
    call = Conversation()
    call.begin("<Say>One moment</Say>")
    call.connect()
    assert of_kind(call.feed(Resumed("second"), talked_ms), Claim) == [Claim(A_LEG, left_s)]


def test_the_longest_duration_of_a_call_that_is_not_answered_has_not_begun() -> None:
    call = Conversation()
    call.offer()
    assert of_kind(call.feed(Resumed("second"), 60_000), Claim) == [CLAIM]


def test_a_dial_that_left_no_trace_on_the_leg_is_said_again_and_what_came_before_it_is_not() -> None:
    """Its mark is sent before it, in one write; a link can break in between."""
    call = Conversation()
    call.begin("<Say>One moment</Say><Dial record='record-from-answer'>+15550003333</Dial>")
    call.connect()
    burst = call.last(Burst)
    call.feed(Resumed("second"))
    place = next(place for place, run in enumerate(burst.runs) if isinstance(run, Bridge))
    assert place > 0
    again = effects(call.feed(BurstLooked(A_LEG, burst.token, burst.token)))
    assert again == [Burst(A_LEG, burst.token, burst.runs[place:])]
    through = BurstLooked(A_LEG, burst.token, burst.token, Outcome(dial_result="NO_ANSWER"))
    assert of_kind(call.feed(through), Burst) != again
