"""What is fuzzed: bytes in, and what must be so of whatever comes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from urllib.parse import urlsplit

from controlplane.base.ids import LegId
from controlplane.esl.connection import ClientConnection, Limits, SwitchConnection
from controlplane.esl.errors import RemoteEslError, UnsafeValue
from controlplane.esl.frames import EslEvent
from controlplane.esl.sip_uri import parse_sip_uri
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import HookError
from controlplane.hooks.guard import Guard
from controlplane.hooks.overrides import parse_overrides
from controlplane.hooks.target import parse_target
from controlplane.switch.translation import translate
from controlplane.verbs.documents import Document
from controlplane.verbs.kinds import Unfit
from controlplane.verbs.sip import parse_sip
from tests.fuzz.guided import Target
from tests.fuzz.test_documents import TYPES, URL, written_and_read_again
from tests.fuzz.test_documents import outcome as document_of
from tests.fuzz.test_esl_builder import MAKERS, one_command
from tests.fuzz.test_esl_codec import names_stand_for_themselves, outcome, readable
from tests.hell.contents import BODIES
from tests.transcripts.recorded import streams
from tests.unit.hooks.inside_forms import INSIDE

SMALL = Limits(header_bytes=4096, body_bytes=4096)
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
        news = translate(event)
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
    translate(event)


def write_command(data: bytes) -> None:
    """UnsafeValue, or one command that says what was meant: the first byte chooses which."""
    if data:
        maker = list(MAKERS.values())[data[0] % len(MAKERS)]
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
    """A frame of each kind of each recorded stream, short ones first, and some streams' beginnings."""
    seen: dict[object, bytes] = {}
    for stream in streams():
        if stream.is_from_switch == is_from_switch:
            for raw in stream.frames:
                seen.setdefault((raw[:60], len(raw) // 1000), raw[:6000])
    return sorted(seen.values(), key=len)[:60]


def _events() -> Iterable[bytes]:
    return [raw.partition(b"\n\n")[2] for raw in _frames(True) if b"text/event-plain" in raw[:80]]


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
        Target("urls", read_url, ("controlplane/hooks", "controlplane/base"),
               lambda: [form.format(p=80).encode() for form in INSIDE] + [URL.encode() + b" ../x?y#z"], _URLS),
        Target("sip-addresses", read_sip_address, ("controlplane/verbs", "controlplane/esl"),
               lambda: [b"sip:a@b.example:5060;transport=tcp?X-A=1&Via=2", b"sips:a@8.8.8.8", b"sip:+1555@h"], _HARM),
        Target("set-cookie", read_set_cookie, ("controlplane/hooks",), lambda: [b"a=b; Path=/a; Max-Age=3"], _COOKIES),
    )
}  # fmt: skip
