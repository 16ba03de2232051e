"""Documents made up at random: each is read, or refused with a fault of one line; what is read can be written."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.verbs.documents import Document
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document
from controlplane.verbs.reading import MAX_WARNINGS
from controlplane.verbs.specs import SPECS
from controlplane.verbs.ssml import ELEMENTS, escape, escape_attribute
from controlplane.verbs.writing import to_json, to_twiml

URL = "https://app.example/voice"
TYPES = ("text/xml", "application/json", "text/plain", "text/html; charset=iso-8859-1", "audio/wav", "", "a/b")

tags = st.sampled_from([*SPECS, *ELEMENTS, "Client", "Headers", "Connect", "speak", "Response", "x:y"])
attributes = st.sampled_from(
    sorted({name for spec in SPECS.values() for name in (*spec.by_attribute, *spec.without_effect)})
) | st.sampled_from(["time", "xml:lang", "interpret-as", "unknown"])
values = st.sampled_from(
    ["", "0", "1", "5", "-1", "1001", "99999999999", "true", "false", "POST", "get", "auto", "alice", "en-US", "#",
     "*#", "dtmf speech", "completed ringing", "/menu", "https://app.example/a?b=c", "ftp://x", "javascript:x", "//x",
     "+15550001111", "5550001111", "15550001111", "sip:a@b.example;transport=tcp?X-A=1&Via=2", "sip:a@b|c", "${x}",
     "record-from-answer", "trim-silence", "de", "busy", "1s", "\u202e", "é", "\n", "<", "&", '"']
) | st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)  # fmt: skip


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> str:
    """An element with attributes and children of all kinds, in their right places or not."""
    tag = draw(tags)
    given_attributes = draw(st.dictionaries(attributes, values, max_size=4))
    inside = [escape(draw(values))]
    if depth:
        inside += draw(st.lists(elements(depth - 1), max_size=2))
    written = "".join(f' {name}="{escape_attribute(value)}"' for name, value in given_attributes.items())
    return f"<{tag}{written}>{''.join(inside)}</{tag}>"


twiml = st.lists(elements(), max_size=4).map(lambda each: f"<Response>{''.join(each)}</Response>".encode())
damages = st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=3)), min_size=1, max_size=4)

keys = st.sampled_from(
    sorted({key for spec in SPECS.values() for key in (spec.key, *(row.member for row in spec.rows), *spec.groups)})
) | st.sampled_from(["verbs", "targets", "prompts", "client"])
scalars = st.none() | st.booleans() | st.integers(-5, 2000) | st.floats() | values
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def outcome(body: bytes, content_type: str) -> Document | None:
    """The document, or None where it was refused as it should be."""
    document = None
    try:
        document = parse_document(body, content_type, source_url=URL)
        told = [(warning.path, warning.problem, warning.code) for warning in document.warnings]
    except DocumentError as error:
        told = [(error.path, error.problem, error.code)]
    assert len(told) <= MAX_WARNINGS + 1
    for path, problem, code in told:
        assert f"{path}{problem}".isprintable()
        assert len(path) < 400
        assert len(problem) < 800
        assert 11_000 < code < 40_000
    return document


def written_and_read_again(document: Document) -> list[Document]:
    return [
        parse_document(to_twiml(document).encode(), "text/xml", source_url=URL, max_bytes=10**6),
        parse_document(to_json(document).encode(), "application/json", source_url=URL, max_bytes=10**6),
    ]


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from(TYPES))
def test_bytes_of_any_kind_are_read_or_refused(body: bytes, content_type: str) -> None:
    outcome(body, content_type)


@settings(max_examples=200)
@given(twiml)
def test_twiml_of_any_shape_is_read_or_refused_and_can_be_written(body: bytes) -> None:
    document = outcome(body, "text/xml")

    if document is not None:
        assert written_and_read_again(document) == [Document(document.verbs)] * 2


@settings(max_examples=200)
@given(twiml, damages)
def test_damaged_twiml_is_read_or_refused(body: bytes, places: list[tuple[int, bytes]]) -> None:
    for place, piece in places:
        body = body[: place % len(body)] + piece + body[place % len(body) + len(piece) :]

    outcome(body or b"<", "text/xml")


@settings(max_examples=200)
@given(json_values | st.lists(st.dictionaries(keys, json_values, min_size=1, max_size=1), max_size=4))
def test_json_of_any_shape_is_read_or_refused_and_can_be_written(value: Any) -> None:
    document = outcome(json.dumps(value).encode(), "application/json")

    if document is not None:
        assert written_and_read_again(document) == [Document(document.verbs)] * 2
