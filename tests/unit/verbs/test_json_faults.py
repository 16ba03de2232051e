"""What is wrong in our JSON: each a fault that names its place, whatever TwiML would have done about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from controlplane.verbs.documents import Document, Play
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document

URL = "https://app.example/voice"
RECORDS = (
    "must be do-not-record, record-from-answer, record-from-ringing, record-from-answer-dual or "
    "record-from-ringing-dual"
)


def read(document: Any, source_url: str | None = URL) -> Document:
    return parse_document(json.dumps(document).encode(), "application/json", source_url=source_url)


def fault(document: Any, source_url: str | None = URL) -> tuple[str, str, int]:
    with pytest.raises(DocumentError) as caught:
        read(document, source_url)
    return caught.value.path, caught.value.problem, caught.value.code


@pytest.mark.parametrize(
    ("document", "path", "problem", "code"),
    [
        ("say", "document", "must be a list of verbs, not a string", 12102),
        ({}, "document", "must be a list of verbs, or an object with the key verbs", 12102),
        ({"verbs": {}}, "verbs", "must be a list of verbs, not an object", 12102),
        (["hangup"], "[0]", 'must be an object with one key, such as {"say": "Hello"}', 12100),
        ([{}], "[0]", 'must be an object with one key, such as {"say": "Hello"}', 12100),
        ([{"say": "a", "play": "b"}], "[0]", 'must be an object with one key, such as {"say": "Hello"}', 12100),
        ([{"hangup": None}], "[0].hangup", "must be an object, not null", 12100),
        ([{"hangup": "now"}], "[0].hangup", "must be an object, not a string", 12100),
        ([{"say": 5}], "[0].say", "must be an object, not a number", 12100),
        ([{"say": ""}], "[0].say.text", "has no text to say", 13520),
        ([{"say": {"text": 5}}], "[0].say.text", "must be text, not a number", 13520),
        ([{"say": "a\u001b"}], "[0].say.text", "has a control character or half a surrogate pair", 13520),
        ([{"say": "\ud800"}], "[0].say.text", "has a control character or half a surrogate pair", 13520),
        ([{"say": "a" * 4097}], "[0].say.text", "has 4097 characters, more than the 4096 this voice can say", 13521),
        (
            [{"say": {"text": "a", "loop": "1"}}],
            "[0].say.loop",
            "must be a whole number from 0 to 1000, not a string",
            13510,
        ),
        (
            [{"say": {"text": "a", "loop": 1.0}}],
            "[0].say.loop",
            "must be a whole number from 0 to 1000, not a number",
            13510,
        ),
        (
            [{"say": {"text": "a", "loop": True}}],
            "[0].say.loop",
            "must be a whole number from 0 to 1000, not a boolean",
            13510,
        ),
        (
            [{"say": {"text": "a", "loop": -1}}],
            "[0].say.loop",
            "must be a whole number from 0 to 1000, not '-1'",
            13510,
        ),
        (
            [{"say": {"text": "a", "loop": 10**4000}}],
            "[0].say.loop",
            f"must be a whole number from 0 to 1000, not '1{'0' * 38}\\u2026'",
            13510,
        ),
        ([{"say": {"text": "a", "markup": 1}}], "[0].say.markup", "must be true or false, not a number", 13520),
        (
            [{"say": {"text": "a", "voice": "bob"}}],
            "[0].say.voice",
            "must be man, woman, alice or a name such as Polly.Joanna, not 'bob'",
            13511,
        ),
        ([{"say": {"text": "<b>a</b>", "markup": True}}], "[0].say.text", "b is not known inside Say", 13520),
        (
            [{"say": {"text": "<break time='x'/>", "markup": True}}],
            "[0].say.text",
            "break@time must be a time such as 250ms or 2s, not 'x'",
            13520,
        ),
        (
            [{"say": {"text": "</Say><Hangup/><Say>", "markup": True}}],
            "[0].say.text",
            "is not well-formed XML: something follows the end of the root element, at character 7",
            13520,
        ),
        (
            [{"say": {"text": "<!DOCTYPE a>", "markup": True}}],
            "[0].say.text",
            "has a document type (DOCTYPE), which is refused",
            13520,
        ),
        (
            [{"say": {"text": "<p>" * 15 + "</p>" * 15, "markup": True}}],
            "[0].say.text",
            "has more than 16 elements inside each other",
            13520,
        ),
        ([{"play": {}}], "[0].play.url", "has neither a URL nor digits to play", 12200),
        ([{"play": "ftp://app.example/"}], "[0].play.url", "must be an http or https URL, not 'ftp':", 11100),
        (
            [{"gather": {"timeout_s": "5"}}],
            "[0].gather.timeout_s",
            "must be a whole number from 1 to 14400, not a string",
            13313,
        ),
        ([{"gather": {"prompts": {}}}], "[0].gather.prompts", "must be a list, not an object", 13320),
        (
            [{"gather": {"prompts": [{"play": {"digits": "1"}}]}}],
            "[0].gather.prompts",
            "plays digits, which may not be inside a Gather",
            13430,
        ),
        (
            [{"gather": {"prompts": [{"say": {"loop": 1}}]}}],
            "[0].gather.prompts[0].say.text",
            "has no text to say",
            13520,
        ),
        ([{"gather": {"action": 5}}], "[0].gather.action", "must be a URL or an object, not a number", 11100),
        (
            [{"gather": {"action": {"method": "get"}}}],
            "[0].gather.action.method",
            "must be GET or POST, not 'get'",
            13312,
        ),
        ([{"gather": {"inputs": "dtmf"}}], "[0].gather.inputs", "must be a list, not a string", 13326),
        ([{"gather": {"inputs": []}}], "[0].gather.inputs", "must name at least one", 13326),
        ([{"gather": {"inputs": [["dtmf"]]}}], "[0].gather.inputs", "must be dtmf or speech, not a list", 13326),
        ([{"gather": {"speech": "auto"}}], "[0].gather.speech", "must be an object, not a string", 13327),
        (
            [{"gather": {"speech": {"timeout": "soon"}}}],
            "[0].gather.speech.timeout",
            "must be a whole number from 1 to 60, not a string",
            13327,
        ),
        (
            [{"gather": {"speech": {"timeout": "auto", "model": "default"}}}],
            "[0].gather.speech.timeout",
            "must be a number where the speech model is set, not auto",
            13335,
        ),
        ([{"record": {"trim": "trim-silence"}}], "[0].record.trim", "must be true or false, not a string", 13699),
        (
            [{"record": {"callback": {"url": "mailto:a@b"}}}],
            "[0].record.callback.url",
            "must be an http or https URL, not 'mailto':",
            13256,
        ),
        ([{"dial": {}}], "[0].dial.targets", "has no target that can be dialled", 13215),
        (
            [{"dial": {"targets": ["911"]}}],
            "[0].dial.targets[0].number",
            "must be a number in E.164, such as +15550001111, not '911'",
            13223,
        ),
        (
            [{"dial": {"targets": [5]}}],
            "[0].dial.targets[0]",
            'must be an object with one key, such as {"say": "Hello"}',
            12100,
        ),
        ([{"dial": {"targets": ["+15550001111"] * 11}}], "[0].dial.targets", "has more than 10 targets", 13215),
        (
            [{"dial": {"targets": ["+15550001111"], "record": True}}],
            "[0].dial.record",
            f"{RECORDS}, not a boolean",
            13217,
        ),
        (
            [{"dial": {"targets": ["+15550001111"], "record": "true"}}],
            "[0].dial.record",
            f"{RECORDS}, not 'true'",
            13217,
        ),
        (
            [{"dial": {"targets": [{"sip": {"uri": "sip:a@b", "headers": ["X-A"]}}]}}],
            "[0].dial.targets[0].sip.headers",
            "must be an object of names and values, not a list",
            13252,
        ),
        (
            [{"dial": {"targets": [{"sip": {"uri": "sip:a@b", "password": "x"}}]}}],
            "[0].dial.targets[0].sip.username",
            "and password must both be given",
            13249,
        ),
        (
            [{"redirect": {"url": "\n x"}}, {"redirect": "/a b"}],
            "[1].redirect.url",
            "is no URL: blanks, quotes, angle brackets and backslashes must be written as %20, %22…",
            11100,
        ),
        ([{"pause": {}}] * 1001, "document", "has more than 1000 verbs", 11750),
    ],
)
def test_what_is_wrong_refuses_the_document(document: Any, path: str, problem: str, code: int) -> None:
    assert fault(document) == (path, problem, code)


def test_a_document_without_a_url_has_no_relative_ones() -> None:
    problem = "must be absolute: this document has no URL"

    assert fault([{"gather": {"action": "/menu"}}], None) == ("[0].gather.action.url", problem, 15004)
    assert fault([{"play": "/a.wav"}], None) == ("[0].play.url", problem, 11100)
    assert fault([{"redirect": ""}], None) == ("[0].redirect.url", "has no URL, and neither has this document", 15004)
    assert read([{"play": {"digits": "1"}}], None) == Document((Play(digits="1"),))


def test_json_of_any_depth_is_refused() -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(b"[" * 4000 + b"]" * 4000, "application/json", source_url=URL)

    assert caught.value.code == 12100


@pytest.mark.parametrize(
    ("key", "shown"),
    [(rb"\u0000a", r"\x00a"), (rb"\ud800", r"\ud800"), (rb"\u001b[2J", r"\x1b[2J"), (b"gr\xc3\xb6", "grö")],
)
def test_a_warning_names_a_key_in_characters_that_can_be_kept_and_shown(key: bytes, shown: str) -> None:
    document = parse_document(
        b'[{"%b": 1}, {"say": {"text": "x", "%b": 1}}]' % (key, key), "application/json", source_url=URL
    )

    assert [warning.path for warning in document.warnings] == [f"[0].{shown}", f"[1].say.{shown}"]


@pytest.mark.parametrize(
    "document",
    [
        '{"verbs": [], "verbs": []}',
        '{"verbs": [], "other": {"a": [{"text": 1, "text": 2}]}}',
        '[{"say": {"text": "a", "text": "b"}}]',
        '[{"say": {"text": "a", "x": 1, "x": null}}]',
        '[{"say": {"text": "a", "x": {"y": [{"z": 1, "z": 1}]}}}]',
        '[{"later": {"x": 1, "x": 2}}]',
        '[{"redirect": {"url": {"a": 1, "a": 2}}}]',
        '[{"gather": {"action": {"url": "/a", "url": "/b"}}}]',
        '[{"gather": {"action": {"url": "/a", "x": {"y": 1, "y": 2}}}}]',
        '[{"dial": {"targets": [{"sip": {"uri": "sip:a@b.example", "headers": {"X-A": "1", "X-A": "2"}}}]}}]',
    ],
)
def test_a_key_that_is_there_twice_is_a_fault_wherever_it_is(document: str) -> None:
    with pytest.raises(DocumentError, match=r"has the key '[a-zA-Z-]+' twice in one object"):
        parse_document(document.encode(), "application/json", source_url=URL)
