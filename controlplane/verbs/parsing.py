"""A tenant's answer, bytes and a content type, to a Document (Twilio's TwiML, documents).

text/xml  application/xml  text/html    TwiML
application/json  …+json                JSON
audio/… of the list below               played
text/plain                              TwiML if it begins like that, otherwise spoken
anything else, or nothing               12300
"""

from __future__ import annotations

from functools import lru_cache

from controlplane.verbs.building import LONGEST_TEXT, TEXT_TOO_LONG
from controlplane.verbs.documents import Document, Play, Say, Warn
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.json_dialect import parse_json
from controlplane.verbs.kinds import Unfit, plain_string
from controlplane.verbs.ssml import BAD_TEXT
from controlplane.verbs.twiml import parse_twiml
from controlplane.verbs.xmltree import ENCODINGS, UNPARSEABLE

MAX_BYTES = 64 * 1024

_EMPTY = 11770
_TOO_LARGE = 11750
_CONTENT_TYPE = 12300

_TWIML = ("text/xml", "application/xml", "text/html")
_AUDIO = frozenset(
    f"audio/{name}" for name in ("mpeg", "wav", "wave", "x-wav", "aiff", "x-aifc", "x-aiff", "x-gsm", "gsm", "ulaw")
)


def parse_document(
    body: bytes, content_type: str | None, *, max_bytes: int = MAX_BYTES, source_url: str | None
) -> Document:
    """Read a document and check all of it.

    `source_url` is where it came from, or None for one given inline, which may have no relative URLs. `max_bytes` does
    not apply to audio, whose body is not looked at. Raises DocumentError, whose code is the reference's.
    """
    media_type, charset = _media_type(content_type or "")
    if media_type in _AUDIO:
        return _audio(source_url)
    if len(body) > max_bytes:
        raise DocumentError("body", f"has {len(body)} bytes, more than {max_bytes}", _TOO_LARGE)
    if not body or body.isspace():
        raise DocumentError("body", "is empty", _EMPTY)
    has_url = source_url is not None
    if media_type in _TWIML:
        return parse_twiml(body, has_url=has_url, charset=charset)
    if media_type == "application/json" or media_type.endswith("+json"):
        return parse_json(body, has_url=has_url)
    if media_type == "text/plain":
        return _plain(body, has_url=has_url, charset=charset)
    problem = f"{media_type[:60]!a} is no type of document" if media_type else "is missing"
    raise DocumentError("Content-Type", problem, _CONTENT_TYPE)


@lru_cache(maxsize=64)
def _media_type(content_type: str) -> tuple[str, str]:
    """The type, and the charset by the name that parsers know (utf-8 where none is given, or none that is known)."""
    media_type, _, parameters = content_type.partition(";")
    charset = "utf-8"
    for parameter in filter(None, parameters.split(";")):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = ENCODINGS.get(value.strip(" \t\"'").lower(), "utf-8")
    return media_type.strip().lower(), charset


def _audio(source_url: str | None) -> Document:
    if source_url is None:
        raise DocumentError("Content-Type", "an inline document cannot be audio", _CONTENT_TYPE)
    return Document((Play(source_url),))


def _plain(body: bytes, *, has_url: bool, charset: str) -> Document:
    """TwiML sent as plain text is still checked as TwiML: no caller is to hear it spoken."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<Response", b"<?xml")):
        return parse_twiml(body, has_url=has_url, charset=charset)
    try:
        text = str(body.removeprefix(b"\xef\xbb\xbf"), charset).strip()
    except UnicodeDecodeError:
        raise DocumentError("body", f"is not {charset}", UNPARSEABLE) from None
    return _spoken(text)


def _spoken(text: str) -> Document:
    try:
        plain_string(text)
    except Unfit as unfit:
        raise DocumentError("body", str(unfit), BAD_TEXT) from None
    if len(text) > LONGEST_TEXT:
        problem = f"has {len(text)} characters, more than the {LONGEST_TEXT} that can be said; it is passed over"
        return Document((), (Warn("body", problem, TEXT_TOO_LONG),))
    return Document((Say(text),))
