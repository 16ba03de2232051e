"""Random documents, such as reading one can give: every value within its limits and in its one way of writing."""

from __future__ import annotations

from typing import TypeVar

from hypothesis import strategies as st

from controlplane.base.e164 import E164
from controlplane.verbs.documents import (
    Dial,
    DialRecord,
    Document,
    Gather,
    Hangup,
    Link,
    Method,
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
    Track,
)

T = TypeVar("T")

_LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from(
    "\n\t<>&\"'"
)
texts = st.text(_LETTERS, min_size=1, max_size=60).map(str.strip).filter(bool)
names = st.text("abcdefghijkmnopqrstuvwxyzABCDEFG0123456789._~*+-", min_size=1, max_size=12)
hosts = st.sampled_from(["app.example", "192.0.2.7", "a-b.c0.example", "h"])
paths = st.text("abcXYZ019-._~/?#[]@!$&'()*+,;=:%é", max_size=20)
urls = st.builds("{}://{}/{}".format, st.sampled_from(["http", "https"]), hosts, paths) | paths.map(
    lambda path: "/" + path.lstrip("/")
)
methods: st.SearchStrategy[Method] = st.sampled_from(["GET", "POST"])
links = st.builds(Link, urls, methods)
numbers = st.integers(1_000_000, 10**15 - 1).map(lambda digits: E164(f"+{digits}"))
sent_digits = st.text("0123456789ABCD*#wW", max_size=32)
headers = st.dictionaries(
    st.sampled_from(["X-Queue", "X-a-1", "User-to-User", "P-Called-Party-ID"]),
    st.text("aZ09 ._~/@+=;*()!%#?&-", max_size=12).map(lambda text: f"v{text.strip()}"),
    max_size=3,
).map(lambda each: tuple(each.items()))
languages = st.sampled_from(["en-US", "de", "cmn-Hans-CN"])
markups = st.sampled_from(
    ['Wait<break time="1s"/>now', '<p><s>One</s> &amp; <emphasis level="strong">two</emphasis></p>', "<p/>"]
)


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """A value or none."""
    return st.none() | strategy


def some(members: type[T]) -> st.SearchStrategy[frozenset[T]]:
    """Some of an enumeration, at least one."""
    return st.frozensets(st.sampled_from(list(members)), min_size=1)  # type: ignore[call-overload]


says = st.builds(
    Say,
    text=texts,
    voice=st.sampled_from(["man", "alice", "Polly.Joanna"]),
    language=languages,
    loop=st.integers(1, 1000),
) | st.builds(Say, text=markups, markup=st.just(True))
plays = st.builds(Play, url=urls, loop=st.integers(1, 1000))
key_plays = st.builds(Play, url=st.just("") | urls, digits=sent_digits.filter(bool))
pauses = st.builds(Pause, length_s=st.integers(1, 14_400))
prompts = st.one_of(says, plays, pauses)

speech = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from(["auto", "3"]),
        "hints": st.sampled_from(["sales", "sales,support team"]),
        "enhanced": st.sampled_from(["true", "false"]),
        "partial_result_callback": urls,
    },
).map(lambda each: tuple(sorted(each.items())))


@st.composite
def gathers(draw: st.DrawFn) -> Gather:
    """The method is that of the action, where there is one."""
    action, method = draw(maybe(links)), draw(methods)
    return Gather(
        prompts=tuple(draw(st.lists(prompts, max_size=3))),
        action=action,
        method=action.method if action is not None else method,
        inputs=draw(st.sampled_from([frozenset({"dtmf"}), frozenset({"dtmf", "speech"})])),
        timeout_s=draw(st.integers(1, 14_400)),
        finish_key=draw(st.sampled_from(["", "#", "*", "7"])),
        num_digits=draw(maybe(st.integers(1, 128))),
        action_on_empty_result=draw(st.booleans()),
        language=draw(languages),
        speech=draw(speech),
    )


@st.composite
def records(draw: st.DrawFn) -> Record:
    """What is transcribed is short."""
    action, method, transcribe = draw(maybe(links)), draw(methods), draw(st.booleans())
    return Record(
        action=action,
        method=action.method if action is not None else method,
        timeout_s=draw(st.integers(0, 14_400)),
        finish_keys=draw(st.sampled_from(["", "#", "1234567890*#"])),
        max_length_s=draw(st.integers(1, 120 if transcribe else 14_400)),
        play_beep=draw(st.booleans()),
        trim=draw(st.booleans()),
        callback=draw(recording_callbacks),
        transcribe=transcribe,
        transcribe_callback=draw(maybe(urls)),
    )


recording_callbacks = maybe(st.builds(RecordingCallback, links, some(RecordingEvent)))
status_callbacks = maybe(st.builds(StatusCallback, links, some(StatusEvent)))
number_targets = st.builds(
    Number, number=numbers, send_digits=sent_digits, screening=maybe(links), status_callback=status_callbacks
)
uris = st.builds(
    "{}:{}@{}{}".format,
    st.sampled_from(["sip", "sips"]),
    names,
    hosts,
    st.sampled_from(["", ":5070", ";transport=tcp", ":5061;transport=tls"]),
)


@st.composite
def sip_targets(draw: st.DrawFn) -> Sip:
    """A user name and a password come together."""
    username, password = draw(st.just(("", "")) | st.tuples(names, names))
    return Sip(
        uri=draw(uris),
        headers=draw(headers),
        username=username,
        password=password,
        send_digits=draw(sent_digits),
        screening=draw(maybe(links)),
        status_callback=draw(status_callbacks),
    )


dials = st.builds(
    Dial,
    targets=st.lists(number_targets | sip_targets(), min_size=1, max_size=3).map(tuple),
    action=maybe(links),
    timeout_s=st.integers(5, 600),
    time_limit_s=st.integers(1, 14_400),
    hangup_on_star=st.booleans(),
    caller_id=maybe(numbers | st.sampled_from(["alice", "100", "front_desk.2-b"])),
    record=st.sampled_from(DialRecord),
    trim=st.booleans(),
    recording_track=st.sampled_from(Track),
    recording_callback=recording_callbacks,
    answer_on_bridge=st.booleans(),
    ring_tone=maybe(st.sampled_from(["de", "us-old"])),
    sequential=st.booleans(),
    refer=maybe(links),
)
verbs = st.one_of(
    says,
    plays,
    key_plays,
    pauses,
    gathers(),
    records(),
    dials,
    st.builds(Redirect, st.just("") | urls, methods),
    st.builds(Reject, st.sampled_from(RejectReason)),
    st.just(Hangup()),
)
documents = st.lists(verbs, max_size=4).map(lambda each: Document(tuple(each)))
