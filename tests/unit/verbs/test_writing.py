"""Writing a document and reading it again."""

from __future__ import annotations

import json

from hypothesis import given

from controlplane.verbs.documents import Dial, Document, Link, Play, Record, Say, Sip
from controlplane.verbs.parsing import parse_document
from controlplane.verbs.writing import to_json, to_twiml
from tests.unit.verbs.strategies import documents

URL = "https://app.example/voice"


@given(documents)
def test_what_is_written_as_twiml_reads_the_same(document: Document) -> None:
    assert parse_document(to_twiml(document).encode(), "text/xml", source_url=URL, max_bytes=10**6) == document


@given(documents)
def test_what_is_written_as_json_reads_the_same(document: Document) -> None:
    assert parse_document(to_json(document).encode(), "application/json", source_url=URL, max_bytes=10**6) == document


def test_twiml_is_written_without_what_is_default() -> None:
    document = Document(
        (
            Say('Fish & "chips"', loop=2),
            Dial((Sip("sip:desk@pbx.example", (("X-Queue", "a b"),)),), action=Link("/done", "GET")),
            Record(transcribe_callback="/text"),
        )
    )

    assert to_twiml(document) == (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        '<Say loop="2">Fish &amp; "chips"</Say>'
        '<Dial action="/done" method="GET"><Sip><Uri>sip:desk@pbx.example</Uri>'
        '<Headers><Header name="X-Queue" value="a b"/></Headers></Sip></Dial>'
        '<Record transcribe="false" transcribeCallback="/text"/>'
        "</Response>"
    )


def test_json_is_written_without_what_is_default() -> None:
    document = Document((Say("Hé"), Play("/a.wav", digits="1w2"), Dial((Sip("sip:a@b.example"),), Link("/done"))))

    assert json.loads(to_json(document)) == {
        "verbs": [
            {"say": {"text": "Hé"}},
            {"play": {"url": "/a.wav", "digits": "1w2"}},
            {"dial": {"targets": [{"sip": {"uri": "sip:a@b.example"}}], "action": {"url": "/done"}}},
        ]
    }
