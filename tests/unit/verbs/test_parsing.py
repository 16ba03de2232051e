"""From a response's bytes and content type to a document."""

from __future__ import annotations

import pytest

from controlplane.verbs.documents import Document, Play, Say, Warn
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document

URL = "https://app.example/voice"
HELLO = Document((Say("Héllo"),))
TWIML = "<Response><Say>Héllo</Say></Response>"


def fault(body: bytes, content_type: str | None, source_url: str | None = URL) -> tuple[str, str, int, int | None]:
    with pytest.raises(DocumentError) as caught:
        parse_document(body, content_type, source_url=source_url)
    error = caught.value
    return error.path, error.problem, error.code, error.line


@pytest.mark.parametrize(
    "content_type", ["text/xml", "application/xml", "text/html", "TEXT/XML ; charset=utf-8", 'text/xml;charset="UTF-8"']
)
def test_xml_is_twiml(content_type: str) -> None:
    assert parse_document(TWIML.encode(), content_type, source_url=URL) == HELLO


@pytest.mark.parametrize("content_type", ["application/json", "application/vnd.callplane+json; charset=utf-8"])
def test_json_is_our_dialect(content_type: str) -> None:
    assert parse_document('[{"say": "Héllo"}]'.encode(), content_type, source_url=URL) == HELLO


@pytest.mark.parametrize(
    "content_type",
    [f"audio/{name}" for name in ("mpeg", "wav", "wave", "x-wav", "aiff", "x-aifc", "x-aiff", "x-gsm", "gsm", "ulaw")],
)
def test_audio_is_played_and_not_looked_at(content_type: str) -> None:
    assert parse_document(b"\0" * 100_000, content_type, source_url=URL) == Document((Play(URL),))


def test_an_inline_document_cannot_be_audio() -> None:
    assert fault(b"", "audio/wav", source_url=None) == (
        "Content-Type", "an inline document cannot be audio", 12300, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "document"),
    [
        ("Héllo", HELLO),
        ("  Héllo\r\n", HELLO),
        ("<3 you", Document((Say("<3 you"),))),
        (TWIML, HELLO),
        (f'\n<?xml version="1.0"?>{TWIML}'.lstrip(), HELLO),
    ],
)
def test_plain_text_is_twiml_or_spoken(text: str, document: Document) -> None:
    assert parse_document(text.encode(), "text/plain", source_url=URL) == document


def test_twiml_sent_as_plain_text_is_not_spoken_when_it_is_broken() -> None:
    assert fault(b"<Response><Say>Hello</Response>", "text/plain")[2] == 12100


def test_plain_text_that_cannot_be_said_is_refused() -> None:
    assert fault(b"a\x1bb", "text/plain") == ("body", "has a control character or half a surrogate pair", 13520, None)
    assert fault(b"\xff", "text/plain") == ("body", "is not utf-8", 12100, None)


def test_plain_text_that_is_too_long_is_not_spoken() -> None:
    assert parse_document(b"a" * 4097, "text/plain", source_url=URL) == Document(
        (), (Warn("body", "has 4097 characters, more than the 4096 that can be said; it is passed over", 13521),)
    )


@pytest.mark.parametrize("content_type", [None, "", ";charset=utf-8"])
def test_a_missing_content_type_is_refused(content_type: str | None) -> None:
    assert fault(TWIML.encode(), content_type) == ("Content-Type", "is missing", 12300, None)


@pytest.mark.parametrize("content_type", ["image/png", "audio/ogg", "application/octet-stream", "xml", "text/x" * 99])
def test_another_content_type_is_refused(content_type: str) -> None:
    path, problem, code, line = fault(TWIML.encode(), content_type)

    assert (path, code, line) == ("Content-Type", 12300, None)
    assert problem == f"{content_type[:60]!a} is no type of document"


@pytest.mark.parametrize("body", [b"", b" \r\n\t"])
@pytest.mark.parametrize("content_type", ["text/xml", "application/json", "text/plain"])
def test_an_empty_body_is_refused(body: bytes, content_type: str) -> None:
    assert fault(body, content_type) == ("body", "is empty", 11770, None)


@pytest.mark.parametrize("content_type", ["text/xml", "application/json", "text/plain"])
def test_a_body_over_64_kib_is_refused(content_type: str) -> None:
    assert fault(b"x" * 65_537, content_type) == ("body", "has 65537 bytes, more than 65536", 11750, None)


def test_the_limit_can_be_raised() -> None:
    body = f"<Response><Say>Héllo</Say>{' ' * 70_000}</Response>".encode()

    assert parse_document(body, "text/xml", source_url=URL, max_bytes=100_000) == HELLO


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><Response><Say>H\xe9llo</Say></Response>', "text/xml"),
        (b"<?xml version='1.0' encoding='latin1' ?><Response><Say>H\xe9llo</Say></Response>", "text/xml"),
        (b"<Response><Say>H\xe9llo</Say></Response>", "text/xml; charset=ISO-8859-1"),
        (b'<?xml version="1.0" encoding="us-ascii"?><Response><Say>H&#233;llo</Say></Response>', "text/xml"),
        (b"\xef\xbb\xbf" + TWIML.encode(), "text/xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>' + TWIML.encode(), "text/xml"),
        (b'<?xml version="1.0" encoding="UTF-8"?>' + TWIML.encode(), "text/xml; charset=ISO-8859-1"),
        (b"\xef\xbb\xbf" + TWIML.encode(), "text/xml; charset=ISO-8859-1"),
        (b"\n  " + TWIML.encode(), "text/xml"),
        (b"H\xe9llo", "text/plain; charset=iso-8859-1"),
        (b"\xef\xbb\xbfH\xc3\xa9llo", "text/plain"),
        (b'\xef\xbb\xbf[{"say": "H\xc3\xa9llo"}]', "application/json"),
    ],
)  # fmt: skip
def test_a_byte_order_mark_wins_over_the_declaration_and_that_over_the_content_type(
    body: bytes, content_type: str
) -> None:
    assert parse_document(body, content_type, source_url=URL) == HELLO
