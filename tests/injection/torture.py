"""SIP messages of odd shape, after the kinds that RFC 4475 collects: each is answered, or not worth an answer.

What matters is that no call comes of what is none, nothing else is taken for what a part of a message says, and the
node takes the next call as ever.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from tests.injection.outcomes import Outcomes
from tests.injection.stage import NUMBER, Stage
from tests.injection.telephones import SDP, one_answer

_START = "INVITE sip:@NUMBER@@@PEER@ SIP/2.0"
_HEADERS = {
    "Via": "SIP/2.0/UDP @CONTACT@;branch=z9hG4bK@ID@;rport",
    "From": "<sip:+15550002000@127.0.0.1>;tag=@ID@",
    "To": "<sip:@NUMBER@@@PEER@>",
    "Call-ID": "@ID@",
    "CSeq": "1 INVITE",
    "Contact": "<sip:phone@@CONTACT@>",
    "Max-Forwards": "70",
    "Content-Type": "application/sdp",
}


@dataclass(frozen=True, slots=True)
class Oddity:
    """A message as it goes out; the words between `@` are filled in."""

    name: str
    data: bytes


def _message(
    changed: dict[str, str | None] | None = None, *, start: str = _START, more: str = "", body: str = SDP,
    length: str | None = None, line_end: str = "\r\n",
) -> bytes:  # fmt: skip
    """An INVITE in which some headers are others, or not there (None)."""
    headers = {**_HEADERS, "Content-Length": str(len(body)) if length is None else length, **(changed or {})}
    lines = [start, *(f"{name}: {value}" for name, value in headers.items() if value is not None)]
    lines += more.splitlines() if more else []
    return (line_end.join(lines) + line_end * 2 + body).encode("utf-8", "surrogateescape")


def oddities() -> list[Oddity]:
    """All of them."""
    made = {
        "folded header": _message({"X-A": "1,\r\n Canary: 1"}),
        "header of blanks": _message({"X-A": "   "}),
        "blank before the colon": _message({"X-A   ": "1"}),
        "no Via": _message({"Via": None}),
        "no From": _message({"From": None}),
        "no Call-ID": _message({"Call-ID": None}),
        "no CSeq": _message({"CSeq": None}),
        "no Contact": _message({"Contact": None}),
        "CSeq of another method": _message({"CSeq": "1 BYE"}),
        "huge CSeq": _message({"CSeq": "36893488147419103232 INVITE"}),
        "CSeq without number": _message({"CSeq": "INVITE"}),
        "no hops left": _message({"Max-Forwards": "0"}),
        "hops below nothing": _message({"Max-Forwards": "-1"}),
        "negative length": _message(length="-999"),
        "length that lies": _message(length="9999"),
        "short length": _message(length="10"),
        "length twice": _message({"Content-length": "0"}),
        "second message behind": _message(length="0", body="INVITE sip:canary@127.0.0.1 SIP/2.0\r\n\r\n"),
        "From twice": _message({"from": "<sip:canary@127.0.0.1>;tag=2"}),
        "compact and long": _message({"f": "<sip:canary@127.0.0.1>;tag=2", "i": "canary"}),
        "bare line feeds": _message(line_end="\n"),
        "bare carriage returns": _message(line_end="\r"),
        "unknown method": _message({"CSeq": "1 CANARY"}, start=_START.replace("INVITE", "CANARY")),
        "unknown version": _message(start=_START.replace("SIP/2.0", "SIP/7.0")),
        "no version": _message(start=_START.removesuffix(" SIP/2.0")),
        "unknown scheme": _message(start="INVITE nobody:unknown SIP/2.0"),
        "tel number": _message(start="INVITE tel:+15550001000 SIP/2.0"),
        "blanks in the address": _message(start="INVITE sip:@NUMBER@@@PEER@; lr SIP/2.0"),
        "address in brackets": _message(start="INVITE <sip:@NUMBER@@@PEER@> SIP/2.0"),
        "escaped line end in the address": _message(start="INVITE sip:@NUMBER@%0D%0ACanary:1@@PEER@ SIP/2.0"),
        "escaped zero in the address": _message(start="INVITE sip:@NUMBER@%00canary@@PEER@ SIP/2.0"),
        "open quote": _message({"From": '"canary <sip:+15550002000@127.0.0.1>;tag=@ID@'}),
        "quote in quotes": _message({"From": '"\\"canary\\" ${x}" <sip:+15550002000@127.0.0.1>;tag=@ID@'}),
        "no angle bracket": _message({"From": "sip:+15550002000@127.0.0.1?Canary=1;tag=@ID@"}),
        "many values": _message({"Contact": ", ".join(["<sip:a@127.0.0.1>"] * 300)}),
        "many headers": _message(more="\r\n".join(f"X-{number}: {number}" for number in range(900))),
        "long header": _message({"X-A": "a" * 30_000}),
        "long name": _message({"X-" + "a" * 3_000: "1"}),
        "no UTF-8": _message({"From": '"\udcff\udcfe\udc80" <sip:+15550002000@127.0.0.1>;tag=@ID@'}),
        "a zero": _message({"Subject": "a\0b"}),
        "types in parts": _message({"Content-Type": "multipart/mixed;boundary=x"}, body=f"--x\r\n\r\n{SDP}\r\n--x--"),
        "unknown type": _message({"Content-Type": "application/canary"}),
        "no description": _message(body=""),
        "description of nothing": _message(body="v=0\r\n"),
        "requires what nobody has": _message({"Require": "canary"}),
        "replaces nothing": _message({"Replaces": "canary;to-tag=1;from-tag=2"}),
        "joins nothing": _message({"Join": "canary;to-tag=1;from-tag=2"}),
        "BYE to nobody": _message({"CSeq": "1 BYE"}, start=_START.replace("INVITE", "BYE")),
        "REFER": _message(
            {"CSeq": "1 REFER", "Refer-To": "<sip:canary@127.0.0.1>"}, start=_START.replace("INVITE", "REFER")
        ),
        "NOTIFY": _message({"CSeq": "1 NOTIFY", "Event": "check-sync"}, start=_START.replace("INVITE", "NOTIFY")),
        "MESSAGE": _message({"CSeq": "1 MESSAGE"}, start=_START.replace("INVITE", "MESSAGE"), body="canary"),
        "SUBSCRIBE": _message({"CSeq": "1 SUBSCRIBE", "Event": "x"}, start=_START.replace("INVITE", "SUBSCRIBE")),
        "REGISTER": _message({"CSeq": "1 REGISTER"}, start=_START.replace("INVITE", "REGISTER")),
        "answer to nothing": _message(start="SIP/2.0 200 OK"),
        "answer of no number": _message(start="SIP/2.0 4294967301 canary"),
        "nothing": b"",
        "line ends": b"\r\n\r\n\r\n\r\n",
        "noise": bytes(range(256)) * 20,
    }
    return [Oddity(name, data) for name, data in made.items()]


async def torment(stage: Stage, outcomes: Outcomes, messages: Iterable[Oddity]) -> None:
    """Send each, and see that the node answers what comes after it."""
    for message in messages:
        answer = await one_answer(_filled(stage, message.data), stage.sip_peer)
        after = await one_answer(_filled(stage, _OPTIONS), stage.sip_peer, within_s=5)
        is_taken = answer in ("SIP 100", "SIP 180", "SIP 183", "SIP 200")
        outcomes.note("SIP message", message.name, "carried out" if is_taken else f"refused {answer}")
        if not after.startswith("SIP "):
            outcomes.problems.append(f"after a message with {message.name} the node is silent")


_OPTIONS = _message({"CSeq": "1 OPTIONS", "Content-Type": None}, start=_START.replace("INVITE", "OPTIONS"), body="")


def _filled(stage: Stage, data: bytes) -> bytes:
    peer = f"{stage.sip_peer[0]}:{stage.sip_peer[1]}"
    words = {"@NUMBER@": NUMBER, "@PEER@": peer, "@CONTACT@": stage.telephones.contact, "@ID@": secrets.token_hex(8)}
    for name, value in words.items():
        data = data.replace(name.encode(), value.encode())
    return data
