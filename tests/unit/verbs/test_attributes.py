"""Each attribute of each verb: values that are unfit are a warning with the reference's number, and the default."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from controlplane.base.e164 import E164
from controlplane.verbs.documents import (
    Dial,
    DialRecord,
    Document,
    Gather,
    Number,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    Sip,
    Verb,
)
from controlplane.verbs.parsing import parse_document

NUMBER = E164("+15550001111")


def twiml(inside: str) -> Document:
    return parse_document(f"<Response>{inside}</Response>".encode(), "text/xml", source_url="https://app.example/")


SHELLS: dict[str, tuple[str, Verb]] = {
    "Say": ("<Say {}>Hello</Say>", Say("Hello")),
    "Play": ("<Play {}>/a.wav</Play>", Play("/a.wav")),
    "Pause": ("<Pause {}/>", Pause()),
    "Gather": ("<Gather {}/>", Gather()),
    "Record": ("<Record {}/>", Record()),
    "Dial": ("<Dial {}>+15550001111</Dial>", Dial((Number(NUMBER),))),
    "Dial/Number": ("<Dial><Number {}>+15550001111</Number></Dial>", Dial((Number(NUMBER),))),
    "Dial/Sip": ("<Dial><Sip {}>sip:a@b.example</Sip></Dial>", Dial((Sip("sip:a@b.example"),))),
    "Redirect": ("<Redirect {}>/next</Redirect>", Redirect("/next")),
    "Reject": ("<Reject {}/>", Reject()),
}

NUMBERS = ["", "x", "-1", "5.0", "+5", "1e1", "٣", "0x5", "99999999999999999999", "1_0"]
WORDS = ["", "maybe", "1"]


@pytest.mark.parametrize(
    ("verb", "attribute", "code", "values"),
    [
        ("Say", "voice", 13511, ["", "bob", "Polly.", "Polly.Jo anna", "a" * 200 + ".b"]),
        ("Say", "language", 13512, ["", "english language", "e", "en_US"]),
        ("Say", "loop", 13510, [*NUMBERS, "1001"]),
        ("Play", "loop", 13410, [*NUMBERS, "1001"]),
        ("Play", "digits", 13430, ["12x", "1,2", "E", "1" * 81]),
        ("Pause", "length", 13910, [*NUMBERS, "0", "14401"]),
        ("Gather", "method", 13312, [*WORDS, "PUT"]),
        ("Gather", "input", 13326, ["", "voice", "dtmf voice"]),
        ("Gather", "timeout", 13313, [*NUMBERS, "0", "auto"]),
        ("Gather", "finishOnKey", 13310, ["##", "A", "x"]),
        ("Gather", "numDigits", 13314, [*NUMBERS, "0", "129"]),
        ("Gather", "actionOnEmptyResult", 13338, WORDS),
        ("Gather", "language", 13331, ["", "x"]),
        ("Gather", "speechTimeout", 13327, ["", "0", "Auto", "soon"]),
        ("Gather", "maxSpeechTime", 13328, ["61", "auto"]),
        ("Gather", "speechModel", 13334, ["", "best"]),
        ("Gather", "hints", 13330, [",".join(["a"] * 501), "a" * 101]),
        ("Gather", "partialResultCallback", 13329, ["ftp://app.example/"]),
        ("Gather", "partialResultCallbackMethod", 13329, ["PUT"]),
        ("Gather", "profanityFilter", 13333, WORDS),
        ("Gather", "bargeIn", 13332, WORDS),
        ("Gather", "enhanced", 12200, WORDS),
        ("Record", "method", 13610, ["PUT"]),
        ("Record", "timeout", 13611, NUMBERS),
        ("Record", "finishOnKey", 13613, ["A", "1 2"]),
        ("Record", "maxLength", 13612, [*NUMBERS, "0", "14401"]),
        ("Record", "playBeep", 13616, WORDS),
        ("Record", "trim", 13699, [*WORDS, "true"]),
        ("Record", "recordingStatusCallback", 13256, ["mailto:a@b.example", "https://"]),
        ("Record", "recordingStatusCallbackMethod", 12200, ["PUT"]),
        ("Record", "recordingStatusCallbackEvent", 13621, ["", "done", "completed done"]),
        ("Record", "transcribe", 13614, WORDS),
        ("Record", "transcribeCallback", 13257, ["ftp://app.example/"]),
        ("Dial", "method", 13210, ["PUT"]),
        ("Dial", "timeout", 13212, [*NUMBERS, "4", "601"]),
        ("Dial", "timeLimit", 13216, [*NUMBERS, "0", "14401"]),
        ("Dial", "hangupOnStar", 13213, WORDS),
        ("Dial", "callerId", 13214, ["", "+12", "a b", "a" * 65, "555;x", "${x}"]),
        ("Dial", "record", 13217, ["", "both", "record-from-start"]),
        ("Dial", "trim", 13699, WORDS),
        ("Dial", "recordingTrack", 13622, ["", "left"]),
        ("Dial", "recordingStatusCallback", 13256, ["javascript:alert(1)"]),
        ("Dial", "recordingStatusCallbackEvent", 13621, ["failed"]),
        ("Dial", "answerOnBridge", 13219, WORDS),
        ("Dial", "ringTone", 13220, ["", "xx", "us old"]),
        ("Dial", "sequential", 13218, WORDS),
        ("Dial", "referMethod", 13802, ["GET"]),
        ("Dial", "callReason", 12200, ["a" * 51]),
        ("Dial/Number", "sendDigits", 13222, ["x", "1" * 33]),
        ("Dial/Number", "method", 13221, ["PUT"]),
        ("Dial/Number", "statusCallback", 11100, ["ftp://app.example/", "https://a_b.example/"]),
        ("Dial/Number", "statusCallbackMethod", 13221, ["PUT"]),
        ("Dial/Number", "statusCallbackEvent", 12200, ["", "done"]),
        ("Dial/Number", "machineDetection", 21234, ["Maybe"]),
        ("Dial/Number", "machineDetectionTimeout", 21234, ["2", "61"]),
        ("Dial/Sip", "sendDigits", 13242, ["x"]),
        ("Dial/Sip", "method", 13241, ["PUT"]),
        ("Dial/Sip", "username", 13249, ["", "a b", "a,b", "a" * 129, "alone"]),
        ("Dial/Sip", "password", 13249, ["", "a b", "a|b", "a" * 129, "alone"]),
        ("Redirect", "method", 13710, WORDS),
        ("Reject", "reason", 13810, ["", "none"]),
    ],
)
def test_an_unfit_value_is_a_warning_and_the_default(verb: str, attribute: str, code: int, values: list[str]) -> None:
    shell, default = SHELLS[verb]
    for value in values:
        document = twiml(shell.format(f'{attribute}="{value}"'))

        assert document.verbs == (default,), value
        [warning] = document.warnings
        assert (warning.code, warning.line) == (code, 1), warning
        assert warning.path.startswith("/".join(f"{step}[1]" for step in verb.split("/"))), warning
        assert len(warning.problem) < 300, warning


@pytest.mark.parametrize(
    ("verb", "attribute", "value", "field", "taken"),
    [
        ("Say", "loop", " 3 ", "loop", 3),
        ("Say", "voice", "Google.de-DE-Chirp3-HD-Aoede", "voice", "Google.de-DE-Chirp3-HD-Aoede"),
        ("Play", "loop", "0", "loop", 1000),
        ("Gather", "finishOnKey", "", "finish_key", ""),
        ("Gather", "input", "speech, dtmf", "inputs", frozenset({"dtmf", "speech"})),
        ("Gather", "actionOnEmptyResult", "TRUE", "action_on_empty_result", True),
        ("Gather", "method", "get", "method", "GET"),
        ("Record", "timeout", "0", "timeout_s", 0),
        ("Record", "finishOnKey", "", "finish_keys", ""),
        ("Dial", "record", "true", "record", DialRecord.FROM_ANSWER),
        ("Dial", "record", "false", "record", DialRecord.NO),
        ("Dial", "callerId", "+1 (555) 000-2222", "caller_id", "+15550002222"),
        ("Dial", "callerId", "front-desk_2.b", "caller_id", "front-desk_2.b"),
    ],
)
def test_text_is_read_the_forgiving_way(verb: str, attribute: str, value: str, field: str, taken: Any) -> None:
    shell, default = SHELLS[verb]

    document = twiml(shell.format(f'{attribute}="{value}"'))

    assert document == Document((replace(default, **{field: taken}),))


def test_what_is_transcribed_is_120_s_at_most() -> None:
    document = twiml('<Record transcribe="true"/><Record maxLength="121" transcribeCallback="/text"/>')

    assert document.verbs == (
        Record(max_length_s=120, transcribe=True),
        Record(max_length_s=121, transcribe_callback="/text"),
    )
    assert [(warning.path, warning.code) for warning in document.warnings] == [("Record[2]@maxLength", 13615)]


@pytest.mark.parametrize(("model", "code"), [("default", 13335), ("phone_call", 13327)])
def test_a_speech_model_needs_a_number_of_seconds(model: str, code: int) -> None:
    document = twiml(f'<Gather speechTimeout="auto" speechModel="{model}"/>')

    assert document.verbs == (Gather(speech=(("model", model),)),)
    assert [(warning.path, warning.code) for warning in document.warnings] == [("Gather[1]@speechTimeout", code)]


def test_a_refused_password_is_not_repeated() -> None:
    document = twiml('<Dial><Sip username="bob" password="geh eim">sip:a@b.example</Sip></Dial>')

    assert "eim" not in str(document.warnings)
