"""Answers that are well-formed HTTP: what they hold is meant to harm, or lies about what it is."""

from __future__ import annotations

from controlplane.hooks.errors import Code
from tests.unit.hooks.hell import says
from tests.unit.hooks.servers import Handler, answer

_BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">%s]><Response><Say>&j;</Say></Response>' % b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in b"bcdefghij"
)
_QUADRATIC = b'<!DOCTYPE x [<!ENTITY a "%s">]><Response><Say>%s</Say></Response>' % (b"a" * 30_000, b"&a;" * 9_000)
_READS_FILES = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><Response><Say>&a;</Say></Response>'
_ASKS_US = b'<!DOCTYPE x SYSTEM "http://169.254.169.254/x.dtd"><Response/>'


def _say(text: bytes) -> bytes:
    return b"<Response><Say>" + text + b"</Say></Response>"


BODIES: dict[str, tuple[bytes, str]] = {
    "ten billion laughs": (_BOMB, "text/xml"),
    "a quadratic bomb": (_QUADRATIC, "text/xml"),
    "an entity that is a file": (_READS_FILES, "text/xml"),
    "a DTD from elsewhere": (_ASKS_US, "text/xml"),
    "a stylesheet from elsewhere": (b'<?xml-stylesheet href="http://127.0.0.1/"?><Response/>', "text/xml"),
    "XInclude": (b'<Response xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="/etc/passwd"/></Response>', ""),
    "depth in XML": (b"<a>" * 20_000, "text/xml"),
    "depth in JSON": (b"[" * 60_000, "application/json"),
    "depth in JSON objects": (b'{"a":' * 12_000, "application/json"),
    "as many verbs as fit": (b"<Response>" + b"<Hangup/>" * 7_000 + b"</Response>", "text/xml"),
    "as many verbs as fit in JSON": (b"[" + b",".join([b'{"hangup":{}}'] * 4_500) + b"]", "application/json"),
    "as many attributes as fit": (
        b"<Response><Say " + b" ".join(b'a%d="b"' % number for number in range(6_000)) + b"/></Response>",
        "text/xml",
    ),
    "one attribute twice": (b'<Response><Say a="1" a="2"/></Response>', "text/xml"),
    "a number without end": (b'[{"pause":{"length":' + b"9" * 60_000 + b"}}]", "application/json"),
    "a float without end": (b'[{"pause":{"length":1e999999999}}]', "application/json"),
    "not a number": (b'[{"pause":{"length":NaN}}]', "application/json"),
    "one key a thousand times": (b'{"a":1,' * 1 + b'"a":1,' * 9_000 + b'"a":1}', "application/json"),
    "NULs": (b"<Response>" + bytes(1000) + b"</Response>", "text/xml"),
    "a NUL by number": (_say(b"&#0;"), "text/xml"),
    "half a surrogate by number": (_say(b"&#xD800;"), "text/xml"),
    "half a surrogate in JSON": (rb'[{"say":{"text":"\ud800"}}]', "application/json"),
    "bytes that are no UTF-8": (_say(b"\xff\xfe\xc0\x80"), "text/xml"),
    "overlong UTF-8": (_say(b"\xc0\xbc"), "text/xml; charset=utf-8"),
    "UTF-16 under another name": (_say(b"hello").decode().encode("utf-16"), "text/xml; charset=utf-8"),
    "UTF-32": (_say(b"hello").decode().encode("utf-32"), "text/xml; charset=utf-32"),
    "UTF-7": (b"+ADw-Response/+AD4-", "text/xml; charset=utf-7"),
    "a charset that is none": (b'<?xml version="1.0" encoding="nonsense"?><Response/>', "text/xml; charset=nonsense"),
    "a charset that is a codec of ours": (b"<Response/>", "text/xml; charset=zip"),
    "a charset that reads hexadecimal": (b"3c526573706f6e73652f3e", "text/xml; charset=hex"),
    "three byte order marks": (b"\xef\xbb\xbf" * 3 + b"<Response/>", "text/xml"),
    "a comment without end": (b"<Response><!--" + b"-" * 60_000, "text/xml"),
    "CDATA without end": (b"<Response><![CDATA[" + b"]" * 60_000, "text/xml"),
    "a tag without end": (b"<" + b"a" * 60_000, "text/xml"),
    "a prefix of nothing": (b"<x:Response/>", "text/xml"),
    "two documents": (b"<Response/><Response/>", "text/xml"),
    "HTML": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "text/html"),
    "JSON called XML": (b'[{"hangup":{}}]', "text/xml"),
    "XML called JSON": (b"<Response/>", "application/json"),
    "a program": (b"#!/bin/sh\ntouch /tmp/x\n", "text/plain"),
    "a picture called XML": (b"\x89PNG\r\n\x1a\n" + bytes(1000), "text/xml"),
    "nothing but blanks": (b" " * 60_000, "text/xml"),
}
TABLE: dict[str, tuple[Handler, int | tuple[int | None, ...] | None]] = {
    **{name: (says(answer(body, content_type=kind)), None) for name, (body, kind) in BODIES.items()},
    "audio that is none": (says(answer(b"<Response/>", content_type="audio/wav")), None),
    "audio without end": (says(answer(b"RIFF\xff\xff\xff\xffWAVEfmt ", content_type="audio/wav")), None),
    "five types at once": (
        says(answer(content_type="text/xml, application/json;q=1; charset=a; charset=b" + ";x=y" * 1000)),
        None,
    ),
    "a type of control characters": (says(answer(content_type="text/\x01\x02xml")), (None, Code.PROTOCOL_VIOLATION)),
    "cookies of all kinds": (
        says(
            answer(
                set_cookie="a=b; Domain=com; Path=/; Max-Age=99999999999999999999\r\nSet-Cookie: =\r\n"
                + "Set-Cookie: c=" + "d" * 5000 + "\r\nSet-Cookie: e=f; Expires=Tue, 99 Foo 99999 99:99:99 GMT"
            )
        ),
        None,
    ),
}  # fmt: skip
