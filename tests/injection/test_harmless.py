"""Each place takes some harmless value, where its name says: a place that refuses everything tries nothing."""

from __future__ import annotations

import re

import pytest

from controlplane.esl.connection import SwitchConnection
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.frames import CommandFrame
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import HookError
from controlplane.hooks.target import parse_target
from controlplane.verbs.errors import DocumentError
from controlplane.verbs.parsing import parse_document
from tests.injection.outcomes import Attempt
from tests.injection.payloads import Payload
from tests.injection.places import Place
from tests.injection.run import application_places
from tests.injection.test_builder import answer_of, said, written
from tests.injection.wiretap import problem_of

URL = "https://app.example/voice"
HARMLESS = (
    *("1", "a", "5", "1000", "2000", "true", "POST", "en-US", "alice", "dtmf", "default", "us", "both", "busy"),
    *("completed", "Enable", "trim-silence", "record-from-answer", "+15550001111", "sip:a@b.example", "X-A"),
    *("transport=udp", "1s", "digits", "text/xml"),
)
PLACES = {place.name: place for place in application_places()}
# Places of what nobody knows: passing it over is to take it.
_UNKNOWN = ("part of Response: attribute", "part of Response: verb", "json key", "json verb")
_NO_TEXT = re.compile(r"must be (?:true or false|a whole number from \d+ to \d+), not a string\Z")


def faults(place: Place, text: str) -> list[str]:
    """What keeps a value from being taken."""
    answer = answer_of(place, text)
    try:
        if answer.status == 302:
            parse_target(URL).follow(dict(answer.headers)["Location"])
            return []
        document = parse_document(answer.body, answer.content_type, source_url=URL)
    except HookError as error:
        return [error.problem]
    except DocumentError as error:
        return [] if _takes_no_text(place, error) else [error.problem]
    try:
        told = [problem_of(frame) for frame in sent(place, text) if problem_of(frame)]
    except UnsafeValue as error:
        told = [error.message]
    told += [warning.problem for warning in document.warnings if warning.problem != "has no effect yet"]
    return [problem for problem in told if place.name not in _UNKNOWN or not problem.startswith("is not known")]


def _takes_no_text(place: Place, error: DocumentError) -> bool:
    """Numbers and booleans of our JSON are no text: it must be that field of which the fault speaks."""
    return error.path == f"[0].{place.name.removeprefix('json ')}" and bool(_NO_TEXT.match(error.problem))


def sent(place: Place, text: str) -> list[CommandFrame]:
    """What the node gets; raises UnsafeValue."""
    commands = said(Attempt(0, place, Payload("harmless", "harmless", "nothing", text)))
    return [frame for command in commands for one in written(command) for frame in SwitchConnection().feed(one.data)]


def test_each_place_of_an_answer_takes_a_harmless_value() -> None:
    assert [name for name, place in PLACES.items() if all(faults(place, text) for text in HARMLESS)] == []


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        ("part of Play: path", "1", "<Play>http://app.example/media/beep/1</Play>"),
        ("part of Play: query", "1", "<Play>http://app.example/media/beep?1</Play>"),
        ("part of Play: host", "1", "<Play>http://1/beep.wav</Play>"),
        ("part of Redirect: path", "1", "<Redirect>/next/1</Redirect>"),
        ("part of Redirect: query", "1", "<Redirect>/next?1</Redirect>"),
        ("part of Redirect: fragment", "1", "<Redirect>/next#1</Redirect>"),
        ("part of Redirect: login", "1", "<Redirect>http://1@app.example/next</Redirect>"),
        ("part of Gather action: query", "1", ' action="/next?1"'),
        ("part of Number: digits", "1111", "<Number>+15550001111</Number>"),
        ("part of Sip: user", "1", "<Sip>sip:1@phone.example</Sip>"),
        ("part of Sip: host", "1", "<Sip>sip:bob@1</Sip>"),
        ("part of Sip: parameters", "1", "<Sip>sip:bob@phone.example;1</Sip>"),
        ("part of Sip: header value", "1", "<Sip>sip:bob@phone.example?X-A=1</Sip>"),
        ("part of Sip: header value, encoded", "é", "<Sip>sip:bob@phone.example?X-A=%C3%A9</Sip>"),
        ("part of Sip: header name, encoded", "é", "<Sip>sip:bob@phone.example?X-%C3%A9=1</Sip>"),
        ("part of Dial callerId: client", "1", '<Dial callerId="client:1">'),
        ("part of Dial callerId: number", "1111", '<Dial callerId="+15550001111">'),
        ("part of Say voice: name", "1", ' voice="Polly.1"'),
    ],
)
def test_a_value_stands_in_the_part_that_its_place_is_named_for(name: str, text: str, there: str) -> None:
    assert there in answer_of(PLACES[name], text).body.decode()


@pytest.mark.parametrize(
    ("name", "text", "end"),
    [
        ("part of Sip: user", "1", "]sofia/internal/sip:1@phone.example"),
        ("part of Sip: host", "a", "]sofia/internal/sip:bob@a"),
        ("part of Sip: parameters", "transport=tcp", "]sofia/internal/sip:bob@phone.example;transport=tcp"),
        ("part of Sip: header value", "1", ",sip_h_X-A=1,execute_on_answer_1="),
        ("part of Sip: header value, encoded", "a b", ",sip_h_X-A='a b',execute_on_answer_1="),
        ("part of Sip: header name, encoded", "a", ",sip_h_X-a=1,execute_on_answer_1="),
        ("json sip.headers", "1", ",sip_h_X-A=1,sip_auth_username=u,"),
        ("json dial.targets", "+15550001111", "]sofia/internal/sip:+15550001111@127.0.0.1:5090"),
    ],
)
def test_a_part_of_an_address_reaches_the_node_as_that_part(name: str, text: str, end: str) -> None:
    [dial] = [part for frame in sent(PLACES[name], text) for part in (frame.line, frame.body) if "sofia/" in part]

    assert end in dial if end.startswith(",") else dial.endswith(end)


@pytest.mark.parametrize(("name", "cookie"), [("answer Set-Cookie", "c=a"), ("answer Set-Cookie name", "a=1")])
def test_a_cookie_that_is_set_is_kept(name: str, cookie: str) -> None:
    target, jar = parse_target(URL), CallCookies()
    jar.take(target, [value for _, value in answer_of(PLACES[name], "a").headers])

    assert jar.header_for(target) == cookie
