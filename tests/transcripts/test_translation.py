"""What recorded conversations with a real FreeSWITCH mean to calls."""

from __future__ import annotations

from controlplane.base.ids import LegId, call_of_leg, token_of
from controlplane.calls.events import (
    BurstDone,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Outcome,
)
from controlplane.esl.connection import ClientConnection
from controlplane.esl.frames import EslEvent, ExactHeaders
from controlplane.switch.translation import LOOK, Happened, News, Offered, Parked, outcome_of, printable, translate

from .recorded import streams


def news_in(scenario: str, wire: str = "inbound") -> list[News]:
    """What the events of a recorded link mean, in their order."""
    stream = next(stream for stream in streams() if stream.name == f"{scenario}/{wire}/fs>app")
    frames = ClientConnection().feed(b"".join(stream.frames))
    events = [frame.event() for frame in frames if frame.content_type == "text/event-plain"]
    return [news for event in events if (news := translate(event)) is not None]


def kinds(news: list[News], leg: LegId) -> list[str]:
    return [
        type(one.event).__name__ if isinstance(one, Happened) else type(one).__name__ for one in news if one.leg == leg
    ]


def test_a_parked_call_that_is_driven_over_links() -> None:
    news = news_in("link_drives_parked_call")
    leg = LegId("f4b712e2-dbcb-45f1-ab2c-db5b2a95854a")
    assert kinds(news, leg) == ["Parked", "LegAnswered", "Pressed", "LegEnded"]


def test_a_conversation_that_outlived_its_links() -> None:
    news = news_in("links_lost_while_bridged", "inbound-2")
    a_leg = LegId("a7b23fc8-98bd-4ab2-b98f-876949ac93fe")
    b_leg = LegId("d2c05c03-3061-499a-885c-5834501d7d2b")
    parted = [one.event for one in news if isinstance(one, Happened) and isinstance(one.event, LegsParted)]
    ended = [one.event for one in news if isinstance(one, Happened) and isinstance(one.event, LegEnded)]
    assert parted == [LegsParted(a_leg, b_leg)]
    assert [(event.leg, event.cause) for event in ended if event.leg in (a_leg, b_leg)] == [
        (b_leg, "NORMAL_CLEARING"),
        (a_leg, "NORMAL_CLEARING"),
    ]


def test_a_conversation_begins_with_an_answer_on_both_sides() -> None:
    events = [one.event for one in news_in("links_lost_while_bridged") if isinstance(one, Happened)]
    joined = next(event for event in events if isinstance(event, LegsJoined))
    assert LegAnswered(joined.other) in events
    assert LegAnswered(joined.leg) in events


def test_how_dialled_legs_ended_is_told_with_the_sip_status() -> None:
    events = [one.event for one in news_in("originate_results") if isinstance(one, Happened)]
    ended = {(event.cause, event.sip_status) for event in events if isinstance(event, LegEnded)}
    assert {("USER_BUSY", 486), ("NORMAL_TEMPORARY_FAILURE", 503), ("NO_ANSWER", 487)} <= ended


def test_the_status_of_a_failed_b_leg_is_not_the_a_legs() -> None:
    ended = [
        one.event
        for one in news_in("bridge_busy", "outbound")
        if isinstance(one, Happened) and isinstance(one.event, LegEnded)
    ]
    assert [(event.cause, event.sip_status) for event in ended] == [("NORMAL_CLEARING", None)]


def test_a_name_with_a_newline_forges_nothing() -> None:
    news = news_in("injected_newline_in_caller_name", "outbound")
    assert news
    assert not any(isinstance(one, Offered) for one in news)
    assert all(letter.isprintable() for one in news for letter in str(one))


def event(name: str, **values: str) -> EslEvent:
    headers = {key.replace("__", "-"): value for key, value in values.items()}
    return EslEvent(ExactHeaders({"Event-Name": name, "Unique-ID": "f4b712e2-dbcb-45f1-ab2c-db5b2a95854a", **headers}))


def test_a_leg_at_the_door_is_an_offer_and_any_other_parked_leg_is_not() -> None:
    at_the_door = event(
        "CHANNEL_PARK",
        variable_callplane_door="inbound",
        Caller__Caller__ID__Number="+15550001111",
        Caller__Caller__ID__Name="Al\nice",
        Caller__Destination__Number="15550002222",
    )
    leg = LegId("f4b712e2-dbcb-45f1-ab2c-db5b2a95854a")
    assert translate(at_the_door) == Offered(leg, "+15550001111", "Alice", "15550002222", ())
    assert translate(event("CHANNEL_PARK")) == Parked(leg)


def test_early_media_is_ringing() -> None:
    leg = LegId("f4b712e2-dbcb-45f1-ab2c-db5b2a95854a")
    assert translate(event("CHANNEL_PROGRESS_MEDIA")) == Happened(leg, LegRinging(leg, early_media=True))


def test_completions_of_others_mean_nothing() -> None:
    assert (
        translate(event("CHANNEL_EXECUTE_COMPLETE", Application__UUID="b634c28e-5b6e-478f-86a0-dc8712797893")) is None
    )


def test_what_was_broken_off_by_a_hang_up_was_not_carried_out() -> None:
    leg = LegId("f4b712e2-dbcb-45f1-ab2c-db5b2a95854a")
    token = token_of(call_of_leg(leg), 2, 1)
    assert translate(event("CHANNEL_EXECUTE_COMPLETE", Application__UUID=token)) == Happened(
        leg, BurstDone(leg, token, Outcome())
    )
    for name in (token, f"{LOOK}{token}"):
        assert translate(event("CHANNEL_EXECUTE_COMPLETE", Application__UUID=name, Answer__State="hangup")) is None


def test_an_outcome_takes_only_numbers_for_numbers() -> None:
    values = {"record_ms": "12x", "callplane_digits": "42"}
    outcome = outcome_of(values.get)
    assert (outcome.record_ms, outcome.digits) == (None, "42")


def test_texts_of_callers_are_cut_and_printable() -> None:
    assert printable("a\x00\r\nb" + "x" * 1000) == "ab" + "x" * 251
