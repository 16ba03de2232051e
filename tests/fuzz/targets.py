"""What is fuzzed: bytes in, and what must be so of whatever comes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from itertools import chain, pairwise
from urllib.parse import urljoin, urlsplit

from controlplane.base.ids import LegId, call_of_token
from controlplane.calls.events import BurstDone, LegEnded
from controlplane.esl.connection import ClientConnection, Limits, SwitchConnection
from controlplane.esl.errors import RemoteEslError, UnsafeValue
from controlplane.esl.frames import EslEvent
from controlplane.esl.sip_uri import parse_sip_uri
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import HookError
from controlplane.hooks.guard import Guard
from controlplane.hooks.overrides import parse_overrides
from controlplane.hooks.target import parse_target
from controlplane.switch.translation import MAX_TEXT, SUBSCRIBED, Happened, Looked, News, Offered, translate
from controlplane.verbs.documents import Document
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.sip import parse_sip
from controlplane.verbs.urls import Url
from tests.fuzz.guided import Target
from tests.fuzz.test_documents import TYPES, URL, written_and_read_again
from tests.fuzz.test_documents import outcome as document_of
from tests.fuzz.test_esl_builder import MAKERS, one_command
from tests.fuzz.test_esl_codec import names_stand_for_themselves, outcome, readable
from tests.hell.contents import BODIES
from tests.transcripts.recorded import streams
from tests.unit.hooks.inside_forms import INSIDE

SMALL = Limits(header_bytes=4096, body_bytes=6144)  # a thinned event and much more, and less than the longest input
LEG = LegId("01890a5d-ac96-774b-bcce-b302099a8057")
_INSIDE_4 = ("127.", "10.", "192.168.", "169.254.", "0.", "172.16.")


def read_from_switch(data: bytes) -> None:
    """Frames or RemoteEslError, the same in any slices; whatever came can be read and translated."""
    frames = _same_in_slices(ClientConnection, data)
    for frame in frames:
        readable(frame)
        try:
            event = frame.event()
        except RemoteEslError:
            continue
        news = translated(event)
        assert news is None or news.leg in data.decode("utf-8", "replace").replace("%2D", "-").replace("%2d", "-")


def read_from_client(data: bytes) -> None:
    """The same for what clients say to the emulator."""
    for command in _same_in_slices(SwitchConnection, data):
        assert "\n" not in command.line


def _same_in_slices(role: type[ClientConnection] | type[SwitchConnection], data: bytes) -> list:  # type: ignore[type-arg]
    whole = outcome(role(SMALL), [data])
    third = max(1, len(data) // 3)
    cuts = [*range(0, len(data), third), len(data)]
    assert outcome(role(SMALL), [data[start:end] for start, end in pairwise(cuts)]) == whole
    if len(data) < 400:
        assert outcome(role(SMALL), [data[place : place + 1] for place in range(len(data))]) == whole
    return whole[0]


def read_event(data: bytes) -> None:
    """A header block alone, as events have it."""
    try:
        [frame] = ClientConnection(SMALL).feed(
            b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(data), data)
        )
        event: EslEvent = frame.event()
    except (RemoteEslError, ValueError):
        return
    names_stand_for_themselves(event)
    translated(event)


def translated(event: EslEvent) -> News | None:
    """What an event means; whatever a caller wrote in it is short and printable, and numbers are in their bounds."""
    news = translate(event)
    match news:
        case Offered():
            texts = (news.caller_number, news.caller_name, news.dialled_number, *chain(*news.sip_headers))
            assert all(len(text) <= MAX_TEXT and text.isprintable() for text in texts)
            assert len(news.sip_headers) <= 16
        case Happened(_, LegEnded() as ended):
            assert ended.sip_status is None or 100 <= ended.sip_status <= 999
            assert ended.talked_ms is None or ended.talked_ms >= 0
            assert ended.sip_call_id.isprintable()
        case Happened(_, BurstDone() as done):
            assert call_of_token(done.token) is not None
        case Looked():
            assert news.event.outcome.record_ms is None or news.event.outcome.record_ms >= 0
        case _:
            pass
    return news


def write_command(data: bytes) -> None:
    """UnsafeValue, or one command that says what was meant: the first byte chooses which."""
    if data:
        maker = list(MAKERS)[data[0] % len(MAKERS)]
        one_command(maker, data[1:].decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode())


def read_document(data: bytes) -> None:
    """A document or a fault of one line; what is read can be written and read again. The first byte is the type's."""
    if len(data) > 1:
        document = document_of(data[1:], TYPES[data[0] % len(TYPES)])
        if document is not None:
            assert written_and_read_again(document) == [Document(document.verbs)] * 2


def read_url(data: bytes) -> None:
    """What is taken is taken alike by others, and what passes the guard does not lead inside."""
    text = data.decode("utf-8", "replace")
    base, _, location = text.partition(" ")
    _read_in_a_document(base)
    try:
        target = parse_target(base)
        if location:
            target = target.follow(location)
        parse_overrides(target.fragment)
        Guard().check(target)
    except HookError as error:
        _must_be_printable(error.problem)
        return
    assert target.url.isascii()
    assert target.url.isprintable()
    assert not set(target.url) & set(' \\<>"^`{|}')
    split = urlsplit(target.url)
    assert split.hostname == target.host.lower()
    assert target.for_wire.host_subcomponent == (f"[{target.host}]" if ":" in target.host else target.host)
    assert (split.port or 0) == target.port
    assert target.for_wire.raw_path_qs == target.path_and_query
    assert not target.host.startswith(_INSIDE_4) or not target.host.replace(".", "").isdigit()
    assert target.credentials.isprintable()
    assert urljoin(target.url_with_credentials, "/x").endswith(f"{target.authority}/x")


def _read_in_a_document(text: str) -> None:
    """What a document's reader takes can be joined with the document's address."""
    try:
        taken = Url().from_text(text)
    except Unfit as unfit:
        _must_be_printable(str(unfit))
        return
    urljoin(URL, taken)


def read_sip_address(data: bytes) -> None:
    """What a document's reader takes the builder takes, and has one address in it."""
    text = data.decode("utf-8", "replace")
    try:
        address = parse_sip(text)
    except Unfit as unfit:
        _must_be_printable(str(unfit))
        return
    assert address.uri.count("@") == 1
    try:
        uri = parse_sip_uri(address.uri)
    except UnsafeValue:
        raise AssertionError(f"{address.uri} was taken for an address") from None
    assert str(uri).lower() == address.uri.lower()
    assert not set(address.uri) & set("${}[]<>|,'\"\\% \r\n\t")
    for name, value in address.headers:
        assert f"{name}{value}".isprintable()
        assert not set(value) & set("${}[]<>|,'\"\\\r\n")


def _must_be_printable(text: str) -> None:
    assert text.isprintable()


def read_set_cookie(data: bytes) -> None:
    """Whatever servers set, what is sent back is one header line."""
    target, jar = parse_target("https://app.example/a/b"), CallCookies()
    jar.take(target, data.decode("latin-1").split("\n"))
    header = jar.header_for(target)
    assert header.isascii()
    assert header == "" or header.isprintable()
    assert len(jar.cookies) <= 20


def _frames(is_from_switch: bool) -> Iterable[bytes]:
    """A frame of each kind of each recorded stream, short ones first, and of each event that is read."""
    seen: dict[object, bytes] = {}
    for stream in streams():
        if stream.is_from_switch == is_from_switch:
            for raw in stream.frames:
                seen.setdefault((raw[:60], len(raw) // 1000), raw[:6000])
    yield from sorted(seen.values(), key=len)[:60]
    for block in _told() if is_from_switch else ():
        yield b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(block), block)


def _events() -> Iterable[bytes]:
    yield from (raw.partition(b"\n\n")[2] for raw in _frames(is_from_switch=True) if b"text/event-plain" in raw[:80])


def _told() -> Iterable[bytes]:
    """An event of each subscribed name as it was recorded, without headers that nobody reads, with marks of ours."""
    for name in SUBSCRIBED:
        is_it = re.compile(rb"^Event-Name: %s$" % name.encode(), re.MULTILINE)
        recorded = (raw for stream in streams() if stream.is_from_switch for raw in stream.frames if is_it.search(raw))
        lines = next(recorded).partition(b"\n\n")[2].rstrip(b"\n").split(b"\n")
        thinned = [line for line in lines if line.startswith(_READ)]
        yield from (b"\n".join([*more, *thinned]) + b"\n\n" for more in _MARKS)  # the first of a name counts


# What is read of events (controlplane/switch/translation.py), by its beginning.
_READ = (
    *(b"Event-Name", b"Unique-ID", b"Caller-", b"Answer-State", b"Application", b"Bridge-", b"Hangup-Cause", b"DTMF"),
    *(b"variable_sip_", b"variable_endpoint", b"variable_current_app", b"variable_originate_disp", b"variable_last_br"),
    *(b"variable_record_ms", b"variable_playback_", b"variable_read_", b"variable_callplane", b"variable_recovered"),
)
_TOKEN = b"cs_7MPW9E5PYB8QRTPB6VBCN9B1AA.1.3"
_MARKS: tuple[tuple[bytes, ...], ...] = (
    (),
    (b"variable_callplane_door: true", b"variable_sip_h_X-A: b", b"variable_recovered: true"),
    (b"Application-UUID: " + _TOKEN, b"variable_record_ms: 1200", b"variable_callplane_digits: 12"),
    (b"Application-UUID: look-" + _TOKEN, b"variable_callplane_sent: " + _TOKEN),
    (b"variable_sip_term_status: 486", b"Answer-State: hangup"),
)


def _documents() -> Iterable[bytes]:
    yield from (bytes([TYPES.index("text/xml")]) + body[:1000] for body, _ in BODIES.values())
    yield bytes([0]) + (
        b'<Response><Say voice="alice" language="en-US" loop="2">Hi <break time="1s"/></Say><Gather action="/a" '
        b'numDigits="1"><Play>/a.wav</Play></Gather><Dial callerId="+15550001111"><Sip>sip:a@b.example?X-A=1</Sip>'
        b"</Dial><Record/><Redirect>/b</Redirect></Response>"
    )
    yield bytes([1]) + json.dumps([{"say": {"text": "Hi"}}, {"play": {"url": "/a.wav"}}, {"hangup": {}}]).encode()


_ESL = (
    *(b"Content-Length: ", b"Content-Type: text/event-plain\n", b"Content-Type: text/event-json\n", b"\n\n", b"\r\n"),
    *(b"%0A", b"Event-Name: ", b"Unique-ID: ", b"Event-Name: CHANNEL_PARK\n", b"Application-UUID: ", b"sendmsg "),
    *(
        b"api status\n\n",
        b"content-length: 3\n",
        b"99999999999999999999",
        b"-1",
        b": ",
        b"_undef_",
        b"{}",
        b"ARRAY::a|:b",
    ),
    *(b"variable_callplane_door: true\n", b"variable_sip_h_X-A: b\n", b"Application-UUID: look-", b"9" * 2500),
    *(b"Answer-State: ", b"variable_sip_term_status: 486\n", b"variable_record_ms: ", b"Caller-Channel-Hangup-Time: "),
)
_HARM = (
    *(b"${x}", b"$${", b"\n\n", b"\r\n", b"\0", b"^^:", b"'", b'"', b"\\", b"{", b"}", b"[", b"]", b"|", b",", b";"),
    *(b"fs_path=", b"@", b"?", b"&park()", b":_:", b"%0A", "\u2028".encode(), b"\xff", b"sip:", b"../", b"//"),
)
_MARKUP = (
    *(b"<Response>", b"</Response>", b"<Say>", b"<Dial>", b"<Sip>", b"<Gather ", b"<Record ", b'="', b"/>", b"<!--"),
    *(b"<![CDATA[", b"]]>", b"<!DOCTYPE ", b"&#0;", b"&#x10ffff;", b"&amp;", b"<?xml ", b"encoding=", b'{"say":'),
    *(b"[", b"]", b"null", b"1e9", b"\xef\xbb\xbf", b"\xff\xfe", b"\\ud800", b"xmlns:a="),
)
_URLS = (
    *(b"http://", b"https://", b"://", b"//", b"@", b"127.0.0.1", b"0x7f", b"[::1]", b"::ffff:", b"%00", b"%2e", b"\\"),
    *(b"#ct=100&rc=2", b"?a=b", b":80", b"xn--", b"..", b" /../", "\u3002".encode(), "\uff11".encode(), b" //"),
)
_COOKIES = (b"a=b", b"; Path=/", b"; Max-Age=", b"; Expires=", b"; Secure", b"; Domain=", b"\n", b"=", b'"', b"\0")

TARGETS = {
    target.name: target
    for target in (
        Target("esl-from-switch", read_from_switch, ("controlplane/esl", "controlplane/switch/translation"),
               lambda: _frames(True), _ESL),
        Target("esl-from-client", read_from_client, ("controlplane/esl",), lambda: _frames(False), _ESL),
        Target("esl-events", read_event, ("controlplane/esl", "controlplane/switch/translation"), _events, _ESL),
        Target("commands", write_command, ("controlplane/esl",),
               lambda: [bytes([number]) + b"+15550001111" for number in range(len(MAKERS))], _HARM),
        Target("documents", read_document, ("controlplane/verbs",), _documents, _MARKUP),
        Target("urls", read_url, ("controlplane/hooks", "controlplane/base", "controlplane/verbs/urls"),
               lambda: [form.format(p=80).encode() for form in INSIDE] + [URL.encode() + b" ../x?y#z"], _URLS),
        Target("sip-addresses", read_sip_address, ("controlplane/verbs", "controlplane/esl"),
               lambda: [b"sip:a@b.example:5060;transport=tcp?X-A=1&Via=2", b"sips:a@8.8.8.8", b"sip:+1555@h"], _HARM),
        Target("set-cookie", read_set_cookie, ("controlplane/hooks",), lambda: [b"a=b; Path=/a; Max-Age=3"], _COOKIES),
    )
}  # fmt: skip
