"""Where a tenant's value can stand in a document or in another answer of an application: a table.

Every row of every verb in both dialects is here; tests/injection/test_places.py holds the table against the verbs'
own tables. Further rows put the value into a part of an address, where more of it is taken as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.injection.application import Answer

APP, PHONE = "@APP@", "@PHONE@"  # addresses of the application and of the telephones
BUSY, ANSWERS = "+15550009001", "+15550009002"
SOUND = f"{APP}/media/beep"
_NEXT = "<Redirect>/next</Redirect>"


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere a value can stand: `answer` makes the application's answer with the value in it.

    A place that `ends` the call needs a call of its own for each value.
    """

    name: str
    answer: Callable[[str], Answer]
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Around:
    """An element with what it needs to have an effect. `inside` is its content, `parents` are around it."""

    tag: str
    fields: tuple[str, ...]
    base: dict[str, str] = field(default_factory=dict)
    inside: str = ""
    parents: tuple[str, ...] = ()
    ends: bool = False


_AMD = (
    "machineDetection", "machineDetectionTimeout", "machineDetectionSpeechThreshold",
    "machineDetectionSpeechEndThreshold", "machineDetectionSilenceTimeout", "amdStatusCallback",
    "amdStatusCallbackMethod",
)  # fmt: skip
_LEG = ("sendDigits", "url", "method", "statusCallback", "statusCallbackMethod", "statusCallbackEvent", *_AMD)
_TOLD = {"statusCallback": "/told", "url": "/screen"}
_CALLED = f"<Number>{BUSY}</Number>"
_ADDRESS = f"sip:bob@{PHONE}"

# TwiML: the element's text is the field "".
ELEMENTS = (
    Around("Say", ("", "voice", "language", "loop"), inside="Hello."),
    Around("Play", ("", "loop", "digits"), inside=SOUND),
    Around("Pause", ("length",)),
    Around(
        "Gather",
        (
            "action", "method", "input", "timeout", "finishOnKey", "numDigits", "actionOnEmptyResult", "language",
            "speechTimeout", "maxSpeechTime", "speechModel", "hints", "partialResultCallback",
            "partialResultCallbackMethod", "profanityFilter", "bargeIn", "enhanced", "debug",
        ),
        {"timeout": "1", "actionOnEmptyResult": "true", "input": "dtmf speech"},
        f"<Play>{SOUND}</Play>",
    ),
    Around(
        "Record",
        (
            "action", "method", "timeout", "finishOnKey", "maxLength", "playBeep", "trim", "recordingStatusCallback",
            "recordingStatusCallbackMethod", "recordingStatusCallbackEvent", "transcribe", "transcribeCallback",
            "recordingConfigurationId",
        ),
        {"maxLength": "1", "timeout": "1", "playBeep": "false", "recordingStatusCallback": "/told"},
    ),
    Around(
        "Dial",
        (
            "action", "method", "timeout", "timeLimit", "hangupOnStar", "callerId", "record", "trim", "recordingTrack",
            "recordingStatusCallback", "recordingStatusCallbackMethod", "recordingStatusCallbackEvent",
            "answerOnBridge", "ringTone", "sequential", "referUrl", "referMethod", "callReason", "events", "passports",
            "recordingConfigurationId", "",
        ),
        {"timeout": "5", "recordingStatusCallback": "/told", "referUrl": "/refer"},
        _CALLED,
    ),
    Around("Number", ("", *_LEG, "byoc"), _TOLD, ANSWERS, ("Dial",)),
    Around("Sip", ("", "username", "password", *_LEG), {"username": "u", "password": "p"} | _TOLD, _ADDRESS, ("Dial",)),
    Around("Uri", ("", "priority", "weight", "username", "password"), {"username": "u", "password": "p"}, _ADDRESS,
           ("Dial", "Sip")),
    Around("Header", ("name", "value"), {"name": "X-A", "value": "1"}, "", ("Dial", "Sip", "Headers")),
    Around("Redirect", ("", "method"), inside="/next"),
    Around("Reject", ("reason",), ends=True),
)  # fmt: skip


def all_places() -> list[Place]:
    """Every place of an application's answer."""
    return [*_twiml(), *_json(), *_parts(), *_answers()]


# TwiML


def _twiml() -> Iterator[Place]:
    for around in ELEMENTS:
        for name in around.fields:
            yield Place(f"twiml {around.tag}{'@' + name if name else ''}", _in_element(around, name), around.ends)


def _in_element(around: Around, name: str) -> Callable[[str], Answer]:
    def answer(text: str) -> Answer:
        attributes = {**around.base, name: text} if name else around.base
        inside = around.inside if name else text_of(text)
        return twiml(element(around.tag, attributes, inside, around.parents))

    return answer


def twiml(verbs: str) -> Answer:
    """A document of these verbs, after which the next is asked for."""
    return Answer(f"<Response>{verbs}{_NEXT}</Response>".encode("utf-8", "surrogatepass"))


def element(tag: str, attributes: dict[str, str], inside: str, parents: tuple[str, ...] = ()) -> str:
    """An element inside of others; attributes are text, `inside` is markup."""
    written = "".join(f' {name}="{text_of(value)}"' for name, value in attributes.items())
    before = "".join(f"<{parent}>" for parent in parents)
    if parents[-1:] == ("Headers",):
        before = before.replace("<Headers>", f"<Uri>{_ADDRESS}</Uri><Headers>")
    after = "".join(f"</{parent}>" for parent in reversed(parents))
    return f"{before}<{tag}{written}>{inside}</{tag}>{after}"


def text_of(text: str) -> str:
    """Text as XML that says the same, as far as XML can."""
    return "".join(f"&#{ord(mark)};" if mark in "&<>\"'" or not mark.isprintable() else mark for mark in text)


# JSON: fields by their key, with a dot for a member of an object there.

_LINK = {"url": "/told"}
_JSON_LEG = (
    "send_digits", "screening.url", "screening.method", "status_callback.url", "status_callback.method",
    "status_callback.events",
)  # fmt: skip
_JSON_TOLD: dict[str, Any] = {"status_callback": _LINK, "screening": {"url": "/screen"}}


@dataclass(frozen=True, slots=True)
class Object:
    """A verb or target of our JSON."""

    key: str
    fields: tuple[str, ...]
    base: dict[str, Any] = field(default_factory=dict)
    is_target: bool = False
    ends: bool = False


OBJECTS = (
    Object("say", ("text", "voice", "language", "loop", "markup"), {"text": "Hello."}),
    Object("play", ("url", "loop", "digits"), {"url": SOUND}),
    Object("pause", ("length_s",)),
    Object(
        "gather",
        (
            "action.url", "action.method", "inputs", "timeout_s", "finish_key", "num_digits", "action_on_empty_result",
            "language", "speech.timeout", "speech.max_time", "speech.model", "speech.hints",
            "speech.partial_result_callback", "speech.partial_result_callback_method", "speech.profanity_filter",
            "speech.barge_in", "speech.enhanced", "prompts",
        ),
        {"timeout_s": 1, "action_on_empty_result": True, "inputs": ["dtmf", "speech"]},
    ),
    Object(
        "record",
        (
            "action.url", "action.method", "timeout_s", "finish_keys", "max_length_s", "play_beep", "trim",
            "callback.url", "callback.method", "callback.events", "transcribe", "transcribe_callback",
        ),
        {"max_length_s": 1, "timeout_s": 1, "play_beep": False, "callback": _LINK},
    ),
    Object(
        "dial",
        (
            "action.url", "action.method", "timeout_s", "time_limit_s", "hangup_on_star", "caller_id", "record", "trim",
            "recording_track", "recording_callback.url", "recording_callback.method", "recording_callback.events",
            "answer_on_bridge", "ring_tone", "sequential", "refer.url", "refer.method", "targets",
        ),
        {"targets": [BUSY], "timeout_s": 5, "recording_callback": _LINK, "refer": {"url": "/refer"}},
    ),
    Object("number", ("number", *_JSON_LEG), {"number": ANSWERS} | _JSON_TOLD, is_target=True),
    Object("sip", ("uri", "headers", "username", "password", *_JSON_LEG),
           {"uri": _ADDRESS, "username": "u", "password": "p"} | _JSON_TOLD, is_target=True),
    Object("redirect", ("url", "method"), {"url": "/next"}),
    Object("reject", ("reason",), ends=True),
)  # fmt: skip


def _json() -> Iterator[Place]:
    for one in OBJECTS:
        for name in one.fields:
            yield Place(f"json {one.key}.{name}", _in_object(one, name), one.ends)
    yield Place("json sip.headers value", lambda text: _dialling({"uri": _ADDRESS, "headers": {"X-A": text}}))
    yield Place("json sip.headers name", lambda text: _dialling({"uri": _ADDRESS, "headers": {f"X-{text}": "1"}}))
    yield Place("json dial.targets item", lambda text: in_json({"dial": {"targets": [text], "timeout_s": 5}}))
    yield Place("json key", lambda text: in_json({"say": {"text": "Hello.", text: "1"}}))
    yield Place("json verb", lambda text: in_json({text: {}}))


def _in_object(one: Object, name: str) -> Callable[[str], Answer]:
    group, dot, member = name.partition(".")

    def answer(text: str) -> Answer:
        value = {**one.base.get(group, {}), member: text} if dot else text
        verb = {one.key: {**one.base, group: value}}
        return in_json({"dial": {"targets": [verb], "timeout_s": 5}} if one.is_target else verb)

    return answer


def _dialling(sip: dict[str, Any]) -> Answer:
    return in_json({"dial": {"targets": [{"sip": sip}], "timeout_s": 5}})


def in_json(verb: dict[str, Any]) -> Answer:
    """A document of one verb, after which the next is asked for."""
    return Answer(json.dumps([verb, {"redirect": "/next"}]).encode(), "application/json")


# Parts of values


def _parts() -> Iterator[Place]:
    for name, make in _PARTS.items():
        yield Place(f"part of {name}", make)


def _with(tag: str, around: str, *, parents: tuple[str, ...] = (), attribute: str = "") -> Callable[[str], Answer]:
    def answer(text: str) -> Answer:
        value = around.replace("@@", text, 1)
        if attribute:
            return twiml(element(tag, {attribute: value}, _CALLED if tag == "Dial" else "", parents))
        return twiml(element(tag, {}, text_of(value), parents))

    return answer


def _sip_with(around: str) -> Callable[[str], Answer]:
    return _with("Sip", around, parents=("Dial",))


_PARTS: dict[str, Callable[[str], Answer]] = {
    "Play: path": _with("Play", f"{APP}/media/beep/@@"),
    "Play: query": _with("Play", f"{SOUND}?@@"),
    "Play: host": _with("Play", "http://@@/beep.wav"),
    "Redirect: path": _with("Redirect", "/next/@@"),
    "Redirect: query": _with("Redirect", "/next?@@"),
    "Redirect: fragment": _with("Redirect", "/next#@@"),
    "Redirect: login": _with("Redirect", f"http://@@@{APP.removeprefix('http://')}/next"),
    "Gather action: query": lambda text: twiml(
        element("Gather", {"timeout": "1", "actionOnEmptyResult": "true", "action": f"/next?{text}"}, "")
    ),
    "Number: digits": _with("Number", "+1555000@@", parents=("Dial",)),
    "Sip: user": _sip_with(f"sip:@@@{PHONE}"),
    "Sip: host": _sip_with("sip:bob@@@"),
    "Sip: parameters": _sip_with(f"sip:bob@{PHONE};@@"),
    "Sip: header value": _sip_with(f"sip:bob@{PHONE}?X-A=@@"),
    "Sip: header value, encoded": lambda text: _sip_with(f"sip:bob@{PHONE}?X-A=@@")(_encoded(text)),
    "Sip: header name, encoded": lambda text: _sip_with(f"sip:bob@{PHONE}?X-@@=1")(_encoded(text)),
    "Dial callerId: client": _with("Dial", "client:@@", attribute="callerId"),
    "Dial callerId: number": _with("Dial", "+1555000@@", attribute="callerId"),
    "Say voice: name": lambda text: twiml(element("Say", {"voice": f"Polly.{text}"}, "Hello.")),
    "Say: break time": lambda text: twiml(element("Say", {}, f'<break time="{text_of(text)}"/>Hello.')),
    "Say: say-as": lambda text: twiml(
        element("Say", {}, f'<say-as interpret-as="{text_of(text)}">{text_of(text)}</say-as>')
    ),
    "Say: phoneme": lambda text: twiml(element("Say", {}, f'<phoneme alphabet="ipa" ph="{text_of(text)}">x</phoneme>')),
    "Say: prosody": lambda text: twiml(element("Say", {}, f'<prosody rate="{text_of(text)}">Hello.</prosody>')),
    "Response: attribute": lambda text: Answer(f'<Response a="{text_of(text)}">{_NEXT}</Response>'.encode()),
    "Response: verb": lambda text: twiml(f"<{text}/>"),
    "Response: markup": lambda text: twiml(f"<Say>{text}</Say>"),
}


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="replace")


# Answers of an application besides documents


def _answers() -> Iterator[Place]:
    empty = f"<Response>{_NEXT}</Response>".encode()
    yield Place("answer Content-Type", lambda text: Answer(empty, text, closes=True))
    yield Place("answer charset", lambda text: Answer(empty, f"text/xml; charset={text}", closes=True))
    yield Place("answer reason", lambda text: Answer(empty, reason=text, closes=True))
    yield Place("answer Location", lambda text: Answer(status=302, headers=(("Location", text),), closes=True))
    yield Place(
        "answer Set-Cookie", lambda text: Answer(empty, headers=(("Set-Cookie", f"c={text}; Path=/"),), closes=True)
    )
    yield Place(
        "answer Set-Cookie name",
        lambda text: Answer(empty, headers=(("Set-Cookie", f"{text}=1; Path=/"),), closes=True),
    )
    yield Place(
        "answer text", lambda text: Answer(text.encode("utf-8", "replace"), "text/plain; charset=utf-8"), ends=True
    )
