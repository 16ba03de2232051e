"""Our JSON to verbs: strict where TwiML is forgiving (its faults are in test_json_faults)."""

from __future__ import annotations

import json
from typing import Any

from controlplane.base.e164 import E164
from controlplane.verbs.documents import (
    Dial,
    DialRecord,
    Document,
    Gather,
    Hangup,
    Link,
    Number,
    Pause,
    Play,
    Record,
    RecordingCallback,
    RecordingEvent,
    Redirect,
    Reject,
    RejectReason,
    Say,
    Sip,
    StatusCallback,
    StatusEvent,
    Warn,
)
from controlplane.verbs.parsing import parse_document

NUMBER = E164("+15550001111")
URL = "https://app.example/voice"


def read(document: Any, source_url: str | None = URL) -> Document:
    return parse_document(json.dumps(document).encode(), "application/json", source_url=source_url)


def test_verbs_are_named_as_in_documents() -> None:
    document = read(
        {
            "verbs": [
                {"say": {"text": "Hello", "voice": "alice", "language": "de-DE", "loop": 0}},
                {"play": {"url": "/a.wav", "loop": 2, "digits": "1w2"}},
                {"pause": {"length_s": 3}},
                {
                    "gather": {
                        "prompts": [{"say": {"text": "Press <b>1</b>"}}, {"pause": {}}],
                        "action": {"url": "/menu", "method": "GET"},
                        "inputs": ["dtmf", "speech"],
                        "timeout_s": 3,
                        "finish_key": "",
                        "num_digits": 4,
                        "action_on_empty_result": True,
                        "language": "en-GB",
                        "speech": {"timeout": "auto", "max_time": 30, "hints": "a,b", "barge_in": False},
                    }
                },
                {
                    "record": {
                        "action": "/done",
                        "timeout_s": 0,
                        "finish_keys": "#",
                        "max_length_s": 60,
                        "play_beep": False,
                        "trim": False,
                        "callback": {"url": "/told", "method": "GET", "events": ["completed", "absent"]},
                        "transcribe": True,
                        "transcribe_callback": "/text",
                    }
                },
                {
                    "dial": {
                        "targets": [
                            {
                                "number": {
                                    "number": "+1 555 000 1111",
                                    "send_digits": "1",
                                    "screening": "/screen",
                                    "status_callback": {"url": "/events", "events": ["ringing"]},
                                }
                            },
                            {
                                "sip": {
                                    "uri": "sip:a@b.example",
                                    "headers": {"X-A": "1"},
                                    "username": "u",
                                    "password": "p",
                                }
                            },
                        ],
                        "timeout_s": 20,
                        "caller_id": "+15550002222",
                        "record": "record-from-answer-dual",
                        "trim": True,
                        "ring_tone": "de",
                        "refer": {"url": "/refer"},
                    }
                },
                {"redirect": {"url": "/next", "method": "GET"}},
                {"reject": {"reason": "busy"}},
                {"hangup": {}},
            ]
        }
    )

    assert document == Document(
        (
            Say("Hello", "alice", "de-DE", 1000),
            Play("/a.wav", 2, "1w2"),
            Pause(3),
            Gather(
                prompts=(Say("Press <b>1</b>"), Pause()),
                action=Link("/menu", "GET"),
                method="GET",
                inputs=frozenset({"dtmf", "speech"}),
                timeout_s=3,
                finish_key="",
                num_digits=4,
                action_on_empty_result=True,
                language="en-GB",
                speech=(("barge_in", "false"), ("hints", "a,b"), ("max_time", "30"), ("timeout", "auto")),
            ),
            Record(
                action=Link("/done"),
                timeout_s=0,
                finish_keys="#",
                max_length_s=60,
                play_beep=False,
                trim=False,
                callback=RecordingCallback(
                    Link("/told", "GET"), frozenset({RecordingEvent.COMPLETED, RecordingEvent.ABSENT})
                ),
                transcribe=True,
                transcribe_callback="/text",
            ),
            Dial(
                (
                    Number(
                        NUMBER, "1", Link("/screen"), StatusCallback(Link("/events"), frozenset({StatusEvent.RINGING}))
                    ),
                    Sip("sip:a@b.example", (("X-A", "1"),), "u", "p"),
                ),
                timeout_s=20,
                caller_id="+15550002222",
                record=DialRecord.FROM_ANSWER_DUAL,
                trim=True,
                ring_tone="de",
                refer=Link("/refer"),
            ),
            Redirect("/next", "GET"),
            Reject(RejectReason.BUSY),
            Hangup(),
        )
    )


def test_a_string_stands_for_what_a_verb_is_about() -> None:
    document = read(
        [
            {"say": "Hello"},
            {"play": "/a.wav"},
            {"dial": {"targets": ["+15550001111", "sip:a@b.example"]}},
            {"redirect": ""},
        ]
    )

    assert document == Document(
        (Say("Hello"), Play("/a.wav"), Dial((Number(NUMBER), Sip("sip:a@b.example"))), Redirect())
    )


def test_null_is_as_good_as_absent() -> None:
    assert read([{"gather": {"action": None, "num_digits": None, "speech": {"hints": None}}}]) == Document((Gather(),))


def test_markup_is_checked_and_kept() -> None:
    document = read([{"say": {"text": ' Wait <break  time="1s"></break> &amp; go ', "markup": True}}])

    assert document == Document((Say('Wait <break time="1s"/> &amp; go', markup=True),))


def test_markup_without_elements_is_plain_text() -> None:
    assert read([{"say": {"text": "R&amp;B", "markup": True}}]) == Document((Say("R&B"),))


def test_what_is_not_known_is_passed_over_with_a_warning() -> None:
    document = read(
        {
            "version": 2,
            "verbs": [
                {"sing": {"text": "la"}},
                {"say": {"text": "Hello", "mood": "good"}},
                {"dial": {"targets": [{"client": "alice"}, "+15550001111"], "action": {"url": "/x", "retry": 2}}},
            ],
        }
    )

    assert document == Document(
        (Say("Hello"), Dial((Number(NUMBER),), Link("/x"))),
        (
            Warn("version", "is not known", 12200),
            Warn("verbs[0].sing", "is not known; it is passed over", 12200),
            Warn("verbs[1].say.mood", "is not known", 12200),
            Warn("verbs[2].dial.targets[0].client", "is not known; it is passed over", 12200),
            Warn("verbs[2].dial.action.retry", "is not known", 12200),
        ),
    )


def test_a_number_without_a_plus_is_a_warning_here_too() -> None:
    document = read([{"dial": {"targets": ["15550001111"]}}])

    assert document.verbs == (Dial((Number(NUMBER),)),)
    assert [(warning.path, warning.code) for warning in document.warnings] == [("[0].dial.targets[0].number", 13223)]
