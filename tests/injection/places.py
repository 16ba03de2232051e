"""Where a tenant's value can stand in a document or in another answer of an application: a table.

Every row of every verb is here, or in json_places.py; tests/injection/test_places.py holds the tables against the
verbs' own. Further rows put the value into a part of an address, where more of it is taken as it is.

There is no place for names of conferences and queues: the engine has no verb for either yet. Once it has one, its rows
are places too, or test_places.py fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from urllib.parse import quote

from tests.injection.application import Answer

APP, APP_HOST, PHONE = "@APP@", "@APP-HOST@", "@PHONE@"  # addresses of the application and of the telephones
HERE = "<here>"  # where in a text the value goes; nothing else in these has angle brackets
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
ADDRESS = f"sip:bob@{PHONE}"

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
    Around("Sip", ("", "username", "password", *_LEG), {"username": "u", "password": "p"} | _TOLD, ADDRESS, ("Dial",)),
    Around("Uri", ("", "priority", "weight", "username", "password"), {"username": "u", "password": "p"}, ADDRESS,
           ("Dial", "Sip")),
    Around("Header", ("name", "value"), {"name": "X-A", "value": "1"}, "", ("Dial", "Sip", "Headers")),
    Around("Redirect", ("", "method"), inside="/next"),
    Around("Reject", ("reason",), ends=True),
)  # fmt: skip


def with_addresses(answer: Answer, app_url: str, contact: str) -> Answer:
    """An answer with the addresses of an application and of telephones in it."""
    body = answer.body.replace(APP.encode(), app_url.encode())
    body = body.replace(APP_HOST.encode(), app_url.removeprefix("http://").encode())
    return replace(answer, body=body.replace(PHONE.encode(), contact.encode()))


def all_places() -> list[Place]:
    """Every place of an application's answer but those in our JSON (json_places.py)."""
    return [*_twiml(), *_parts(), *_answers()]


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
        before = before.replace("<Headers>", f"<Uri>{ADDRESS}</Uri><Headers>")
    after = "".join(f"</{parent}>" for parent in reversed(parents))
    return f"{before}<{tag}{written}>{inside}</{tag}>{after}"


def text_of(text: str) -> str:
    """Text as XML that says the same, as far as XML can."""
    return "".join(f"&#{ord(mark)};" if mark in "&<>\"'" or not mark.isprintable() else mark for mark in text)


# Parts of values


def _parts() -> Iterator[Place]:
    for name, make in _PARTS.items():
        yield Place(f"part of {name}", make)


def _with(tag: str, around: str, *, parents: tuple[str, ...] = (), attribute: str = "") -> Callable[[str], Answer]:
    assert around.count(HERE) == 1

    def answer(text: str) -> Answer:
        value = around.replace(HERE, text)
        if attribute:
            return twiml(element(tag, {attribute: value}, _CALLED if tag == "Dial" else "", parents))
        return twiml(element(tag, {}, text_of(value), parents))

    return answer


def _sip_with(around: str) -> Callable[[str], Answer]:
    return _with("Sip", around, parents=("Dial",))


_PARTS: dict[str, Callable[[str], Answer]] = {
    "Play: path": _with("Play", f"{APP}/media/beep/{HERE}"),
    "Play: query": _with("Play", f"{SOUND}?{HERE}"),
    "Play: host": _with("Play", f"http://{HERE}/beep.wav"),
    "Redirect: path": _with("Redirect", f"/next/{HERE}"),
    "Redirect: query": _with("Redirect", f"/next?{HERE}"),
    "Redirect: fragment": _with("Redirect", f"/next#{HERE}"),
    "Redirect: login": _with("Redirect", f"http://{HERE}@{APP_HOST}/next"),
    "Gather action: query": lambda text: twiml(
        element("Gather", {"timeout": "1", "actionOnEmptyResult": "true", "action": f"/next?{text}"}, "")
    ),
    "Number: digits": _with("Number", f"+1555000{HERE}", parents=("Dial",)),
    "Sip: user": _sip_with(f"sip:{HERE}@{PHONE}"),
    "Sip: host": _sip_with(f"sip:bob@{HERE}"),
    "Sip: parameters": _sip_with(f"sip:bob@{PHONE};{HERE}"),
    "Sip: header value": _sip_with(f"sip:bob@{PHONE}?X-A={HERE}"),
    "Sip: header value, encoded": lambda text: _sip_with(f"sip:bob@{PHONE}?X-A={HERE}")(_encoded(text)),
    "Sip: header name, encoded": lambda text: _sip_with(f"sip:bob@{PHONE}?X-{HERE}=1")(_encoded(text)),
    "Dial callerId: client": _with("Dial", f"client:{HERE}", attribute="callerId"),
    "Dial callerId: number": _with("Dial", f"+1555000{HERE}", attribute="callerId"),
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
