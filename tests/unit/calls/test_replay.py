"""A call is its journal: the same entries give the same machine, whatever order things came in."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.base.ids import LegId
from controlplane.calls.commands import Burst, FetchDocument, Finish, LookAt, Originate
from controlplane.calls.events import (
    BurstDone,
    BurstLooked,
    DigitsAsked,
    DocumentArrived,
    DocumentFailed,
    Event,
    HangUpAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Outcome,
    Redirected,
    Resumed,
)
from controlplane.calls.facts import Inline
from controlplane.calls.journal import KINDS, decode_event, digest_of, encode_event
from controlplane.calls.machine import CallMachine
from controlplane.calls.runs import Bridge
from controlplane.calls.timeline import tell
from controlplane.verbs.documents import Link

from .conversation import A_LEG, INBOUND, OUTBOUND, Conversation, of_kind

DOCUMENTS = [
    "<Say>Hello</Say>",
    "<Gather numDigits='1' action='/a'><Say>One?</Say></Gather><Redirect>/b</Redirect>",
    "<Record action='/a' maxLength='5'/>",
    "<Dial action='/a' record='record-from-answer'>+15550003333</Dial><Say>Bye</Say>",
    "<Dial><Number url='/screen'>+15550003333</Number><Number>+15550004444</Number></Dial>",
    "<Dial sequential='true'><Number url='/s'>+15550003333</Number><Number url='/s'>+15550004444</Number></Dial>",
    "<Pause/><Play digits='1'/><Hangup/>",
    "<Reject/>",
    "<Oops",
    "",
]
CAUSES = ["NORMAL_CLEARING", "USER_BUSY", "NO_ANSWER", "ORIGINATOR_CANCEL", "LOST", "SOMETHING_NEW"]
OUTCOMES = [
    Outcome(),
    Outcome(digits="1"),
    Outcome(terminator="#"),
    Outcome(record_ms=900, record_terminator="#"),
    Outcome(dial_result="USER_BUSY"),
]


def known_legs(call: Conversation) -> list[LegId]:
    legs = [A_LEG]
    for commands in call.commands:
        legs += [originate.leg for originate in of_kind(commands, Originate)]
        bridges = [run for burst in of_kind(commands, Burst) for run in burst.runs if isinstance(run, Bridge)]
        legs += [branch.leg for bridge in bridges for branch in bridge.branches]
    return list(dict.fromkeys(legs))


def pick_event(call: Conversation, data: st.DataObject) -> Event:
    """Any event that could come, sensible or not: late, repeated, for tokens long gone."""
    leg = data.draw(st.sampled_from(known_legs(call)))
    bursts = [burst for commands in call.commands for burst in of_kind(commands, Burst)]
    looks = [look for commands in call.commands for look in of_kind(commands, LookAt)]
    asked = [fetch.token for commands in call.commands for fetch in of_kind(commands, FetchDocument)]
    choices: list[Event] = [
        LegRinging(leg),
        LegAnswered(leg),
        LegsJoined(A_LEG, leg),
        LegsParted(A_LEG, leg),
        LegEnded(leg, data.draw(st.sampled_from(CAUSES)), data.draw(st.sampled_from([None, 486, 487]))),
        Resumed("another"),
        Redirected(f"req_{len(call.entries)}", Link("https://other.example/")),
        Redirected(f"req_{len(call.entries)}", Inline("text/xml", "<Response><Say>New</Say></Response>")),
        HangUpAsked(f"req_{len(call.entries)}", leg),
        DigitsAsked(f"req_{len(call.entries)}", leg, "12"),
    ]
    if bursts:
        burst = data.draw(st.sampled_from(bursts))
        choices += [BurstDone(burst.leg, burst.token, data.draw(st.sampled_from(OUTCOMES)))] * 4
    if looks:
        look = data.draw(st.sampled_from(looks))
        sent = data.draw(st.sampled_from(["", look.token]))
        choices += [BurstLooked(look.leg, look.token, sent, data.draw(st.sampled_from(OUTCOMES)))] * 3
    if asked:
        token = data.draw(st.sampled_from(asked))
        body = f"<Response>{data.draw(st.sampled_from(DOCUMENTS))}</Response>".encode()
        choices += [DocumentArrived(token, "https://app.example/x", "text/xml", body)] * 4
        choices += [DocumentFailed(token, "https://app.example/x", "timed out", 11205)]
    return data.draw(st.sampled_from(choices))


@settings(max_examples=150)
@given(st.data())
def test_any_order_of_events_replays_to_the_same_commands_and_one_verdict(data: st.DataObject) -> None:
    call = Conversation(data.draw(st.sampled_from([INBOUND, OUTBOUND])))
    call.offer()
    for _ in range(data.draw(st.integers(1, 25))):
        event = pick_event(call, data)
        if call.machine.concerns(event):
            call.feed(event, after_ms=data.draw(st.integers(0, 5000)))
    if call.machine.is_alive(A_LEG):
        call.hang_up()
    finishes = [finish for commands in call.commands for finish in of_kind(commands, Finish)]
    assert len(finishes) == 1
    again = CallMachine()
    replayed = [again.handle(entry) for entry in call.entries]
    assert replayed == call.commands
    assert [digest_of(commands) for commands in replayed] == [digest_of(commands) for commands in call.commands]
    assert (again.status, again.verdict, again.is_over) == (
        call.machine.status,
        call.machine.verdict,
        call.machine.is_over,
    )
    assert len(tell(call.entries)) >= len(call.entries)


@settings(max_examples=100)
@given(st.data())
def test_every_event_survives_the_journal(data: st.DataObject) -> None:
    call = Conversation()
    call.offer()
    for _ in range(6):
        event = pick_event(call, data)
        assert decode_event(*encode_event(event)) == event
        if call.machine.concerns(event):
            call.feed(event)


@given(st.binary(max_size=200))
def test_a_document_survives_the_journal_whatever_its_bytes(body: bytes) -> None:
    call = Conversation()
    call.offer()
    event = DocumentArrived(call.last(FetchDocument).token, "https://app.example/", "text/xml", body)
    assert decode_event(*encode_event(event)) == event


ARRIVED = '{"token": "t", "url": "u", "content_type": "c", "body": "b"}'
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    "data",
    [
        ARRIVED.replace("}", ', "status": 200}'),
        ARRIVED.replace(', "body": "b"', ""),
        ARRIVED.replace('"body": "b"', '"body": 1'),
        ARRIVED.replace('"body": "b"', '"base64": "x"'),
        ARRIVED.replace('"token": "t"', '"token": 1'),
        "[]",
        "[" * 100_000,
        "",
    ],
)
def test_a_document_in_another_versions_words_is_refused_as_any_event_is(data: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_event("DocumentArrived", data)


@given(
    st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from([*"ab", *ARRIVED.split('"')]), ANY_JSON) | ANY_JSON
)
def test_what_is_no_event_is_refused_in_one_way(kind: str, data: object) -> None:
    with contextlib.suppress(ValueError):
        decode_event(kind, json.dumps(data))
