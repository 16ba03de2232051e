"""Where telephones are plugged in: one UDP port that speaks SIP for any number of them.

    exchange = Exchange(on_call=lambda call: call.answer())
    await exchange.start()
    call = exchange.dial("+15550001111", "+15550002222", peer=("127.0.0.1", 5080))

Requests are sent again until they are answered and repeated requests get the same answer (RFC 3261 §17), as datagrams
may be lost when the other side is stopped and started.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping

from controlplane.emulator.phones.calls import PhoneCall, response_to
from controlplane.emulator.phones.media import MediaProcess
from controlplane.emulator.phones.sdp import NoAudio, describe, parse_audio
from controlplane.emulator.phones.sip_text import (
    NotSip,
    Request,
    Response,
    branch_of,
    every,
    header,
    method_of,
    parse,
    tag_in,
    uri_in,
    write,
)

_FIRST_REPEAT_S, _LONGEST_REPEAT_S, _MOST_REPEATS = 0.5, 4.0, 10
_MOST_ANSWERS = 1000
_HOST_PORT = re.compile(r"@?(\[[^\]]+\]|[\w.-]+)(?::(\d+))?(?:;.*)?\Z")

Address = tuple[str, int]


class Exchange:
    """Telephones on one address. `on_call` gets every call that comes in, not yet answered, in the event loop."""

    def __init__(self, on_call: Callable[[PhoneCall], None]) -> None:
        self._on_call = on_call
        self._media: MediaProcess | None = None
        self._calls: dict[str, PhoneCall] = {}
        self._answers: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._pending: dict[tuple[str, str], tuple[PhoneCall, asyncio.TimerHandle]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self.host, self.port = "127.0.0.1", 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; answers the port (a free one for 0)."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Socket(self._take), (host, port))
        self.host, self.port = self._transport.get_extra_info("sockname")[:2]
        self._media = await asyncio.to_thread(MediaProcess, host)
        return self.port

    async def stop(self) -> None:
        """Hang everybody up."""
        for call in list(self._calls.values()):
            with contextlib.suppress(NoAudio):
                call.hang_up()
        await asyncio.sleep(0)
        for _, timer in self._pending.values():
            timer.cancel()
        self._pending.clear()
        if self._transport is not None:
            self._transport.close()
        if self._media is not None:
            await asyncio.to_thread(self._media.stop)

    @property
    def contact(self) -> str:
        """Where the telephones are reached."""
        return f"{self.host}:{self.port}"

    def dial(
        self,
        from_number: str,
        to_number: str,
        *,
        peer: Address,
        name: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> PhoneCall:
        """Call a number at a peer's SIP address."""
        assert self._media is not None, "start() comes first"
        stream = self._media.open()
        call_id, target = secrets.token_hex(10), f"sip:{to_number}@{peer[0]}:{peer[1]}"
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        local = f'"{quoted}" <sip:{from_number}@{self.contact}>;tag={secrets.token_hex(6)}'
        more = tuple((headers or {}).items())
        invite = Request(
            "INVITE",
            target,
            (
                ("From", local),
                ("To", f"<{target}>"),
                ("Call-ID", call_id),
                ("CSeq", "1 INVITE"),
                ("Contact", f"<sip:{from_number}@{self.contact}>"),
                ("Max-Forwards", "70"),
                ("Allow", "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"),
                ("Content-Type", "application/sdp"),
                *more,
            ),
            describe(self.host, stream.port),
        )
        call = PhoneCall(self, stream, call_id, local, f"<{target}>", target, invite, is_ours=True)
        self._calls[call_id] = call
        call.dial()
        return call

    # For calls

    def send_request(self, call: PhoneCall, request: Request, *, branch: str | None = None) -> str:
        """See calls.Wire."""
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        via = ("Via", f"SIP/2.0/UDP {self.contact};branch={branch};rport")
        data = write(Request(request.method, request.uri, (via, *request.headers), request.body))
        peer = _peer_of(request)
        self._send(data, peer)
        if request.method != "ACK":
            self._repeat_later((branch, request.method), call, data, peer, _FIRST_REPEAT_S, 0)
        return branch

    def send_response(self, request: Request, response: Response) -> None:
        """See calls.Wire."""
        data = write(response)
        self._answers[branch_of(request), request.method] = data
        while len(self._answers) > _MOST_ANSWERS:
            self._answers.popitem(last=False)
        self._send(data, _sender_of(request))

    def closed(self, call: PhoneCall) -> None:
        """See calls.Wire."""
        if self._media is not None:
            self._media.close(call.stream)

    # From the network

    def _take(self, data: bytes) -> None:
        try:
            message = parse(data)
        except NotSip:
            return
        if isinstance(message, Response):
            self._take_response(message)
            return
        repeated = self._answers.get((branch_of(message), message.method))
        if repeated is not None and message.method != "ACK":
            self._send(repeated, _sender_of(message))
            return
        self._take_request(message)

    def _take_response(self, response: Response) -> None:
        key = (branch_of(response), method_of(response))
        if key in self._pending:
            self._pending.pop(key)[1].cancel()
        call = self._calls.get(header(response, "Call-ID"))
        if call is not None:
            call.take_response(response)

    def _take_request(self, request: Request) -> None:
        call = self._calls.get(header(request, "Call-ID"))
        if call is not None:
            call.take_request(request)
        elif request.method == "INVITE" and not tag_in(header(request, "To")):
            self._take_call(request)
        elif request.method == "OPTIONS":
            self.send_response(request, response_to(request, 200, secrets.token_hex(6)))
        elif request.method != "ACK":
            self.send_response(request, response_to(request, 481, secrets.token_hex(6)))

    def _take_call(self, invite: Request) -> None:
        try:
            parse_audio(invite.body)
        except NoAudio:
            self.send_response(invite, response_to(invite, 488, secrets.token_hex(6)))
            return
        self.send_response(invite, response_to(invite, 100, ""))
        local = f"{header(invite, 'To')};tag={secrets.token_hex(6)}"
        remote, target = header(invite, "From"), uri_in(header(invite, "Contact"))
        call_id = header(invite, "Call-ID")
        assert self._media is not None
        routes = tuple(("Route", value) for value in every(invite, "Record-Route"))
        call = PhoneCall(self, self._media.open(), call_id, local, remote, target, invite, is_ours=False, routes=routes)
        self._calls[call_id] = call
        self._on_call(call)

    def _send(self, data: bytes, peer: Address) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, peer)

    def _repeat_later(
        self, key: tuple[str, str], call: PhoneCall, data: bytes, peer: Address, after_s: float, count: int
    ) -> None:
        def repeat() -> None:
            self._send(data, peer)
            self._pending.pop(key)
            if count < _MOST_REPEATS:
                self._repeat_later(key, call, data, peer, min(after_s * 2, _LONGEST_REPEAT_S), count + 1)

        self._pending[key] = (call, asyncio.get_running_loop().call_later(after_s, repeat))


def _peer_of(request: Request) -> Address:
    """Where a request goes: the topmost Route, or its URI."""
    routes = every(request, "Route")
    return _address(uri_in(routes[0]) if routes else request.uri)


def _sender_of(request: Request) -> Address:
    """Where a response goes: the topmost Via (peers here say where they are)."""
    return _address("@" + header(request, "Via").partition(";")[0].split()[-1])


def _address(uri: str) -> Address:
    found = _HOST_PORT.search(uri)
    assert found is not None, uri
    return found[1], int(found[2] or 5060)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take_data = take

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002 - the Via says it, too
        self._take_data(data)
