"""What callers and callees say stands where its place is named for, and nowhere else: telephones read each other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controlplane.emulator.phones.calls import response_to
from controlplane.emulator.phones.sip_text import Message, Request, Response, parse, write
from tests.injection.callees import Callees, callee_places
from tests.injection.callers import CALLER_PLACES, invite
from tests.injection.canaries import Canaries
from tests.injection.later import LATER_PLACES
from tests.injection.places import Place
from tests.injection.telephones import SDP, Address, Line, Reaction, Telephones

TEXT = "harmless1"
_OF_BODY = {"session", "codec", "attribute", "MESSAGE", "Signal", "Duration", "digit", "type"}
# Places in several parts of a message, or in headers of other names than theirs.
_ELSEWHERE = {
    "INFO type": {"body", "Content-Type"}, "NOTIFY Event": {"body", "Event", "Subscription-State"},
    "REFER Replaces": {"Refer-To"}, "header name": {TEXT}, "X- name": {f"X-{TEXT}"},
    "request user": {"uri", "To"}, "request parameter": {"uri", "To"}, "request header": {"uri", "To"},
    "callee challenge": {"WWW-Authenticate"}, "callee whole Contact of a redirect": {"Contact"},
}  # fmt: skip


@dataclass(slots=True)
class Peer(asyncio.DatagramProtocol):
    """Answers every request with 200, and keeps all that it is told in order."""

    heard: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    transport: asyncio.DatagramTransport | None = None
    address: Address = ("", 0)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.transport, self.address = transport, transport.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.heard.put_nowait(message := parse(data))
        contact = (("Contact", f"<sip:peer@{self.address[0]}:{self.address[1]}>"),)
        if isinstance(message, Request) and message.method != "ACK":
            self.say(response_to(message, 200, "x", contact, SDP.encode()), addr)

    def say(self, message: Message, to: Address) -> None:
        assert self.transport is not None
        self.transport.sendto(write(message), to)

    async def hear(self) -> Message:
        return await asyncio.wait_for(self.heard.get(), 10)


def where(message: Message, text: str) -> set[str]:
    """In which headers of a message (by name or value), or whether in its `uri`, `reason` or `body`, a text is."""
    found = {name for name, value in message.headers if text in name or text in value}
    found |= {"body"} if text.encode() in message.body else set()
    if isinstance(message, Request):
        return found | ({"uri"} if text in message.uri else set())
    return found | ({"reason"} if text in message.reason else set())


def named(place: str) -> set[str]:
    """Where a value of a place is to be: the first word says it, or the second after a method or `callee`."""
    words = place.split(" ")
    word = words[1] if (place in LATER_PLACES and len(words) > 1) or words[0] == "callee" else words[0]
    return _ELSEWHERE.get(place, {"body" if word in _OF_BODY else word.rstrip(",")})


@asynccontextmanager
async def telephones(take: Callable[[Request], Reaction]) -> AsyncIterator[tuple[Telephones, Peer]]:
    loop = asyncio.get_running_loop()
    _, ours = await loop.create_datagram_endpoint(lambda: Telephones(take), ("127.0.0.1", 0))
    _, peer = await loop.create_datagram_endpoint(Peer, ("127.0.0.1", 0))
    try:
        yield ours, peer
    finally:
        ours.close()
        assert peer.transport is not None
        peer.transport.close()


def busy(_: Request) -> Reaction:
    return Reaction(486)


@pytest.mark.parametrize("place", CALLER_PLACES)
async def test_a_caller_s_value_stands_where_its_place_is_named_for(place: str) -> None:
    async with telephones(busy) as (ours, peer):
        invite(ours, peer.address, place, TEXT)

        asked = await peer.hear()

    assert isinstance(asked, Request)
    assert (asked.method, where(asked, TEXT)) == ("INVITE", named(place))


@pytest.mark.parametrize("place", LATER_PLACES)
async def test_a_later_value_stands_where_its_place_is_named_for(place: str) -> None:
    later = LATER_PLACES[place](TEXT)

    def said(line: Line) -> None:
        ours.say(line, later.method, later.headers, later.body)

    async with telephones(busy) as (ours, peer):
        ours.dial("1", peer.address).on_answer = said

        heard = [await peer.hear() for _ in range(3)]

    assert [one.method for one in heard if isinstance(one, Request)] == ["INVITE", "ACK", later.method]
    assert [where(one, TEXT) for one in heard] == [set(), set(), named(place)]


@pytest.mark.parametrize("place", list(callee_places()), ids=lambda place: place.name)
async def test_a_callee_s_value_stands_where_its_place_is_named_for(place: Place, tmp_path: Path) -> None:
    [name] = re.findall(rb"sip:(callee-\d+-1)@", place.answer(TEXT).body)
    headers = {"Via": "SIP/2.0/UDP h;branch=z9hG4bK1", "From": "<sip:a@h>;tag=1", "To": "<sip:b@h>", "Call-ID": "1"}

    async with telephones(Callees(Canaries(tmp_path)).take) as (ours, peer):
        host, port = ours.contact.split(":")
        asking = Request("INVITE", f"sip:{name.decode()}@{ours.contact}", (*headers.items(), ("CSeq", "1 INVITE")))
        peer.say(asking, (host, int(port)))
        answer = await peer.hear()

    assert isinstance(answer, Response)
    assert where(answer, TEXT) == named(place.name)
