"""SIP messages of odd shape, after the kinds that RFC 4475 collects: each is answered, or not worth an answer.

What matters is that no call comes of what is none (no channel, and nothing that the application is asked), nothing else
is taken for what a part of a message says, and the node takes the next call as ever. Some oddities are legal, or are
read leniently: of these a call may come, and MAY_CALL says why.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from tests.injection.application import Answer, Asked
from tests.injection.canaries import NAME
from tests.injection.outcomes import Outcomes
from tests.injection.stage import NUMBER, Stage
from tests.injection.telephones import SDP, one_answer

_START = "INVITE sip:@NUMBER@@@PEER@ SIP/2.0"
_HEADERS = {
    "Via": "SIP/2.0/UDP @CONTACT@;branch=z9hG4bK@ID@;rport",
    "From": "<sip:@CALLER@@127.0.0.1>;tag=@ID@",
    "To": "<sip:@NUMBER@@@PEER@>",
    "Call-ID": "@ID@",
    "CSeq": "1 INVITE",
    "Contact": "<sip:phone@@CONTACT@>",
    "Max-Forwards": "70",
    "Content-Type": "application/sdp",
}


# RFC 3261 where no other is named.
MAY_CALL = {
    "folded header": "lines may be folded (§7.3.1)",
    "header of blanks": "a value may be empty (§25.1)",
    "blank before the colon": "blanks may stand there (§7.3.1)",
    "no hops left": "only who sends it on counts hops (§16.3)",
    "hops below nothing": "only who sends it on counts hops (§16.3)",
    "second message behind": "what is behind a datagram's message is passed over (§18.3), and no SDP is an offer later",
    "bare line feeds": "not legal; the node reads them as line ends",
    "bare carriage returns": "not legal; the node reads them as line ends",
    "tel number": "a request may be to a number (§19.1.6)",
    "escaped line end in the address": "a user may hold any octet, escaped (§19.1.1)",
    "escaped zero in the address": "a user may hold any octet, escaped (§19.1.1)",
    "quote in quotes": "quotes may be escaped (§25.1)",
    "many values": "more Contacts than one are not legal; the node reads the first",
    "many headers": "there is no most",
    "long header": "there is no longest",
    "long name": "there is no longest",
    "no UTF-8": "not legal; the node passes octets on",
    "no description": "the offer may come later (§13.2.1)",
    "replaces nothing": "RFC 3891 wants 481; the node makes it a call of its own",
    "joins nothing": "RFC 3911 wants 481; the node makes it a call of its own",
}
_TAKEN = ("SIP 100", "SIP 180", "SIP 183", "SIP 200")
_LEAVE = Answer(b"<Response><Hangup/></Response>")
# Who calls: where no call may come of it, where one may, and after that.
NOBODY, SOMEBODY, NEXT = "+15550004475", "+15550004476", "+15550004477"


@dataclass(frozen=True, slots=True)
class Oddity:
    """A message as it goes out; the words between `@` are filled in."""

    name: str
    data: bytes

    @property
    def caller(self) -> str:
        """Who sends it."""
        return SOMEBODY if self.name in MAY_CALL else NOBODY


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
        "open quote": _message({"From": '"canary <sip:@CALLER@@127.0.0.1>;tag=@ID@'}),
        "quote in quotes": _message({"From": '"\\"canary\\" ${x}" <sip:@CALLER@@127.0.0.1>;tag=@ID@'}),
        "no angle bracket": _message({"From": "sip:@CALLER@@127.0.0.1?Canary=1;tag=@ID@"}),
        "many values": _message({"Contact": ", ".join(["<sip:a@127.0.0.1>"] * 300)}),
        "many headers": _message(more="\r\n".join(f"X-{number}: {number}" for number in range(900))),
        "long header": _message({"X-A": "a" * 30_000}),
        "long name": _message({"X-" + "a" * 3_000: "1"}),
        "no UTF-8": _message({"From": '"\udcff\udcfe\udc80" <sip:@CALLER@@127.0.0.1>;tag=@ID@'}),
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
    """Send each, see what comes of it, and that the node answers what comes after it and takes the next call."""
    none: dict[str, str] = {}  # the messages of which no call may come, by their Call-ID

    def answer(asked: Asked) -> Answer:
        if asked.parameters.get("From") == NOBODY:
            outcomes.problems.append(f"the application is asked of a call that is none: {asked.parameters}")
        return _LEAVE

    stage.answers.append(answer)
    for message in messages:
        call_id = secrets.token_hex(8)
        status = await one_answer(_filled(stage, message.data, message.caller, call_id), stage.sip_peer)
        outcomes.note("SIP message", message.name, "carried out" if status in _TAKEN else f"refused {status}")
        if message.name not in MAY_CALL:
            none[call_id] = message.name
            outcomes.problems += [f"a message with {message.name} is taken: {status}"] if status in _TAKEN else []
        after = await one_answer(_filled(stage, _OPTIONS, NEXT, secrets.token_hex(8)), stage.sip_peer, within_s=5)
        if not after.startswith("SIP "):
            outcomes.problems.append(f"after a message with {message.name} the node is silent")
    await _next_call(stage, outcomes)
    calls = stage.watcher.calls
    outcomes.problems += [f"a call came of a message with {name}" for call_id, name in none.items() if call_id in calls]
    outcomes.problems += [f"a call came of a part of a message: {call}" for call in calls if NAME in call.lower()]
    stage.answers.remove(answer)


async def _next_call(stage: Stage, outcomes: Outcomes) -> None:
    """A call like any other is taken; its channel is there after those of all before it."""
    call_id = secrets.token_hex(8)
    status = await one_answer(_filled(stage, _message(), NEXT, call_id), stage.sip_peer, within_s=10)
    if status != "SIP 200" or call_id not in stage.watcher.calls:
        outcomes.problems.append(f"the call after odd messages is not taken: {status}")


_OPTIONS = _message({"CSeq": "1 OPTIONS", "Content-Type": None}, start=_START.replace("INVITE", "OPTIONS"), body="")


def _filled(stage: Stage, data: bytes, caller: str, call_id: str) -> bytes:
    peer = f"{stage.sip_peer[0]}:{stage.sip_peer[1]}"
    words = {"@NUMBER@": NUMBER, "@PEER@": peer, "@CONTACT@": stage.telephones.contact, "@CALLER@": caller}
    for name, value in {**words, "@ID@": call_id}.items():
        data = data.replace(name.encode(), value.encode())
    return data
