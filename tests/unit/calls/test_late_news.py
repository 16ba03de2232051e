"""How long a leg talked is what its node measured, however late the news of it came."""

from __future__ import annotations

from controlplane.calls.commands import Finish, Publish
from controlplane.calls.events import LegAnswered, LegEnded

from .conversation import A_LEG, Conversation


def talk_of(call: Conversation) -> tuple[int | None, int | None]:
    assert call.machine.state is not None
    return call.machine.state.a_leg.answered_ms, call.machine.state.a_leg.ended_ms


def test_an_end_that_was_told_late_counts_from_when_it_was() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.feed(LegAnswered(A_LEG))
    answered_ms = call.at_ms
    commands = call.feed(LegEnded(A_LEG, "NORMAL_CLEARING", talked_ms=4000), after_ms=34_000)
    assert talk_of(call) == (answered_ms, answered_ms + 4000)
    (finish,) = [command for command in commands if isinstance(command, Finish)]
    assert finish.was_at_ms == answered_ms + 4000
    (told,) = [command for command in commands if isinstance(command, Publish)]
    assert (dict(told.data)["duration_seconds"], told.was_at_ms) == (4, answered_ms + 4000)


def test_a_clock_that_was_stepped_meanwhile_changes_no_duration() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.feed(LegAnswered(A_LEG))
    call.feed(LegEnded(A_LEG, "NORMAL_CLEARING", talked_ms=4000), after_ms=604_000)
    answered_ms, ended_ms = talk_of(call)
    assert answered_ms is not None
    assert ended_ms == answered_ms + 4000


def test_an_answer_of_which_only_the_end_tells_is_told_before_it() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    commands = call.feed(LegEnded(A_LEG, "NORMAL_CLEARING", talked_ms=4000), after_ms=5000)
    assert talk_of(call) == (call.at_ms - 4000, call.at_ms)
    told = [(command.kind, command.was_at_ms) for command in commands if isinstance(command, Publish)]
    assert told == [("call.answered", call.at_ms - 4000), ("call.completed", 0)]


def test_news_in_time_is_as_of_now() -> None:
    call = Conversation()
    call.begin("<Say>Hello</Say>")
    call.feed(LegAnswered(A_LEG))
    commands = call.feed(LegEnded(A_LEG, "NORMAL_CLEARING", talked_ms=3950), after_ms=4000)
    assert [command.was_at_ms for command in commands if isinstance(command, Finish | Publish)] == [0, 0]
