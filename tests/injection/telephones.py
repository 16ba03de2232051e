"""Telephones that say nothing and hear nothing: SIP alone, so that hundreds cost nothing, and any byte can be sent."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from controlplane.emulator.phones.calls import response_to
from controlplane.emulator.phones.sip_text import (
    Headers,
    NotSip,
    Request,
    Response,
    header,
    method_of,
    parse,
    tag_in,
    uri_in,
    write,
)

Address = tuple[str, int]
TALK_S = 0.4  # how long who answers stays
_REPEATS_S = (0.5, 1.0, 2.0, 4.0, 4.0, 4.0)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0 101\r\n"
    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody who is called answers."""

    status: int
    reason: str = ""
    headers: Headers = ()
    body: str = SDP


def _nothing(_: Line) -> None:
    pass


@dataclass(slots=True, eq=False)
class Line:
    """A call as one telephone has it. `status` is the last answer to its INVITE; `is_over` when it is through."""

    invite: Request
    peer: Address
    is_ours: bool
    status: int = 0
    is_over: bool = False
    cause: str = ""
    remote: str = ""
    target: str = ""
    sequence: int = 1
    over: asyncio.Event = field(default_factory=asyncio.Event)
    timers: list[asyncio.TimerHandle] = field(default_factory=list)
    answered: Response | None = None
    on_answer: Callable[[Line], None] = _nothing


class Telephones(asyncio.DatagramProtocol):
    """All telephones of a stage, on one port. `on_invite` is asked what to do with a call."""

    def __init__(self, on_invite: Callable[[Request], Reaction]) -> None:
        self._on_invite = on_invite
        self._lines: dict[str, Line] = {}
        self._transport: Any = None
        self.contact = ""

    # What people do

    def dial(self, to: str, peer: Address, more: Headers = (), **instead: str) -> Line:
        """Call; `more` are further headers, `instead` values in the place of usual ones."""
        uri = instead.pop("uri", f"sip:{to}@{peer[0]}:{peer[1]}")
        given = {name.lower(): value for name, value in instead.items()}
        usual = {
            "Via": f"SIP/2.0/UDP {self.contact};branch=z9hG4bK{secrets.token_hex(8)};rport",
            "From": f"<sip:+15550002000@{self.contact}>",
            "To": f"<{uri}>",
            "Call-ID": secrets.token_hex(10),
            "CSeq": "1 INVITE",
            "Contact": f"<sip:phone@{self.contact}>",
            "Max-Forwards": "70",
            "Content-Type": "application/sdp",
        }
        values = {name: given.get(name.lower(), value) for name, value in usual.items()}
        values["From"] += f";tag={secrets.token_hex(6)}"
        body = given.get("body", SDP).encode("utf-8", "replace")
        invite = Request("INVITE", uri, (*values.items(), *more), body)
        line = Line(invite, peer, is_ours=True, target=uri, remote=values["To"])
        self._lines[values["Call-ID"]] = line
        self._repeat(line, _bytes_of(invite))
        return line

    def hang_up(self, line: Line) -> None:
        """End a call, answered or not."""
        if line.is_over:
            return
        if line.answered is not None or not line.is_ours:
            self._send(self._within(line, "BYE"), line.peer)
        elif line.status:
            self._send(_bytes_of(self._same_transaction(line, "CANCEL")), line.peer)
            return
        self._end(line, "hung up")

    def say(self, line: Line, method: str, headers: Headers = (), body: str = "") -> None:
        """Send a request in the dialog of an answered call; `headers` come instead of usual ones."""
        self._send(self._within(line, method, None, headers, body.encode("utf-8", "replace")), line.peer)

    def forget(self, line: Line) -> None:
        """Say no more in a call that nobody answered."""
        self._end(line, "forgotten")

    # What the network brings

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        host, port = transport.get_extra_info("sockname")[:2]
        self.contact = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: Address) -> None:
        try:
            message = parse(data)
        except NotSip:
            return
        line = self._lines.get(header(message, "Call-ID"))
        if isinstance(message, Response):
            if line is not None and method_of(message) == "INVITE":
                self._take_response(line, message)
        elif line is not None:
            self._take_request(line, message, addr)
        elif message.method == "INVITE":
            self._take_invite(message, addr)
        elif message.method != "ACK":
            self._send(_bytes_of(response_to(message, 200, "x")), addr)

    def _take_response(self, line: Line, response: Response) -> None:
        for timer in line.timers:
            timer.cancel()
        if line.answered is not None:
            if response.status >= 200:  # to another INVITE in the dialog, or once more to the first
                sequence = int(header(response, "CSeq").split()[0])
                self._send(self._within(line, "ACK", sequence), line.peer)
            return
        line.status = response.status
        if response.status >= 300:
            self._send(_bytes_of(self._same_transaction(line, "ACK", header(response, "To"))), line.peer)
            self._end(line, f"SIP {response.status}")
        elif response.status >= 200:
            line.answered = response
            line.remote, line.target = header(response, "To"), uri_in(header(response, "Contact")) or line.target
            self._send(self._within(line, "ACK", 1), line.peer)
            line.on_answer(line)

    def _take_request(self, line: Line, request: Request, peer: Address) -> None:
        if request.method == "ACK":
            return
        if request.method == "INVITE" and not tag_in(header(request, "To")):
            return  # again: it was answered
        if request.method == "INVITE":
            more = (("Contact", f"<sip:phone@{self.contact}>"), ("Content-Type", "application/sdp"))
            self._send(_bytes_of(response_to(request, 200, "x", more, SDP.encode())), peer)
            return
        self._send(_bytes_of(response_to(request, 200, "x")), peer)
        if request.method == "CANCEL":
            self._send(_bytes_of(response_to(line.invite, 487, "x")), peer)
        if request.method in ("BYE", "CANCEL"):
            self._end(line, header(request, "Reason") or request.method)

    def _take_invite(self, invite: Request, peer: Address) -> None:
        reaction, tag = self._on_invite(invite), secrets.token_hex(6)
        line = Line(invite, peer, is_ours=False, target=uri_in(header(invite, "Contact")))
        self._lines[header(invite, "Call-ID")] = line
        more: Headers = (("Contact", f"<sip:phone@{self.contact}>"), ("Content-Type", "application/sdp"))
        is_answer = reaction.status == 200
        body = reaction.body.encode("utf-8", "replace") if is_answer else b""
        made = response_to(invite, reaction.status, tag, (*(more if is_answer else ()), *reaction.headers), body)
        response = Response(made.status, reaction.reason or made.reason, made.headers, made.body)
        self._send(_bytes_of(response), peer)
        line.remote = header(invite, "From")
        if not is_answer:
            self._end(line, f"SIP {reaction.status}")
            return
        line.answered = response
        asyncio.get_running_loop().call_later(TALK_S, self.hang_up, line)

    # SIP

    def _within(
        self, line: Line, method: str, sequence: int | None = None, more: Headers = (), body: bytes = b""
    ) -> bytes:
        """A request in the dialog."""
        if sequence is None:
            line.sequence += 1
            sequence = line.sequence
        ours = header(line.invite, "From") if line.is_ours else header(line.answered or line.invite, "To")
        values: Headers = (
            ("Via", f"SIP/2.0/UDP {self.contact};branch=z9hG4bK{secrets.token_hex(8)};rport"),
            ("From", ours),
            ("To", line.remote),
            ("Call-ID", header(line.invite, "Call-ID")),
            ("CSeq", f"{sequence} {method}"),
            ("Contact", f"<sip:phone@{self.contact}>"),
            ("Max-Forwards", "70"),
        )
        named = {name for name, _ in more}
        usual = tuple(pair for pair in values if pair[0] not in named)
        return _bytes_of(Request(method, line.target, (*usual, *more), body))

    def _same_transaction(self, line: Line, method: str, to: str = "") -> Request:
        kept = {"via", "from", "call-id", "max-forwards"}
        values = tuple(pair for pair in line.invite.headers if pair[0].lower() in kept)
        return Request(
            method, line.invite.uri, (*values, ("To", to or header(line.invite, "To")), ("CSeq", f"1 {method}"))
        )

    def _repeat(self, line: Line, data: bytes) -> None:
        self._send(data, line.peer)
        loop, after_s = asyncio.get_running_loop(), 0.0
        for pause_s in _REPEATS_S:
            after_s += pause_s
            line.timers.append(loop.call_later(after_s, self._send, data, line.peer))

    def _end(self, line: Line, cause: str) -> None:
        for timer in line.timers:
            timer.cancel()
        if not line.is_over:
            line.is_over, line.cause = True, cause
            line.over.set()

    def _send(self, data: bytes, peer: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data[:65_000], peer)

    def close(self) -> None:
        """Hang everybody up, and listen no more."""
        for line in self._lines.values():
            self.hang_up(line)
            self._end(line, "closed")
        self._transport.close()


def _bytes_of(message: Request | Response) -> bytes:
    """A message whose headers may hold anything but half characters."""

    def plain(text: str) -> str:
        return text.encode("utf-8", "replace").decode()

    headers = tuple((name, plain(value)) for name, value in message.headers)
    if isinstance(message, Request):
        return write(Request(message.method, plain(message.uri), headers, message.body))
    return write(Response(message.status, plain(message.reason), headers, message.body))


async def one_answer(data: bytes, peer: Address, within_s: float = 0.6) -> str:
    """Send a datagram and say what is answered last in that time: `SIP <status>`, or `nothing`."""
    statuses: list[int] = []
    final = asyncio.Event()

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            with suppress(NotSip):
                message = parse(data)
                if isinstance(message, Response):
                    statuses.append(message.status)
                    if message.status >= 200:
                        final.set()

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Ear, local_addr=("127.0.0.1", 0))
    transport.sendto(data, peer)
    with suppress(TimeoutError):
        await asyncio.wait_for(final.wait(), within_s)
    transport.close()
    return f"SIP {statuses[-1]}" if statuses else "nothing"
