"""One call as a telephone sees it: dialled or taken, ringing, answered, ended.

The SIP behind it is a dialog with one INVITE (RFC 3261 §12, §13); `Wire` sends for it. A call that ended
stays readable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from controlplane.emulator.phones.media import MediaStream
from controlplane.emulator.phones.sdp import NoAudio, describe, parse_audio
from controlplane.emulator.phones.sip_text import (
    Headers,
    Request,
    Response,
    cause_in,
    every,
    header,
    method_of,
    tag_in,
    uri_in,
)


class State(IntEnum):
    """How far a call is."""

    DIALLED = 1
    RINGING = 2
    ANSWERED = 3
    ENDED = 4


_REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 404: "Not Found", 480: "Temporarily Unavailable",
    486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 603: "Decline",
}  # fmt: skip
NORMAL_CLEARING, ORIGINATOR_CANCEL = "NORMAL_CLEARING", "ORIGINATOR_CANCEL"


class Wire(Protocol):
    """What a call sends with."""

    @property
    def contact(self) -> str:
        """Where others reach this telephone: host and port."""
        ...

    def send_request(self, call: PhoneCall, request: Request, *, branch: str | None = None) -> str:
        """Send a request, again until something answers it; answers its branch."""
        ...

    def send_response(self, request: Request, response: Response) -> None:
        """Answer a request, and its repetitions."""
        ...

    def closed(self, call: PhoneCall) -> None:
        """The call has ended."""
        ...


@dataclass(slots=True, eq=False)
class PhoneCall:
    """A call. `local` and `remote` are From or To values, `target` the URI that requests go to."""

    wire: Wire
    stream: MediaStream
    call_id: str
    local: str
    remote: str
    target: str
    invite: Request
    is_ours: bool
    state: State = State.DIALLED
    status: int = 0
    cause: str = ""
    watchers: list[Callable[[], None]] = field(default_factory=list)
    routes: Headers = ()
    offered_s: list[float] = field(default_factory=list)  # when the audio was offered anew, by the event loop's clock
    _branch: str = ""
    _sequence: int = 1
    _wants_to_end: bool = False
    _again: asyncio.TimerHandle | None = None

    # What people do

    def dial(self) -> None:
        """Send the INVITE."""
        self._branch = self.wire.send_request(self, self.invite)

    def ring(self) -> None:
        """180."""
        self._progress(180, b"")

    def begin_early_media(self) -> None:
        """183: the caller hears us before we answer."""
        self._progress(183, self._description())

    def answer(self) -> None:
        """200."""
        if self.state >= State.ANSWERED:
            return
        response = self._response(200, self._description())
        self._repeat_until_acknowledged(response, 0.5)
        self._becomes(State.ANSWERED)

    def refuse(self, status: int) -> None:
        """A final status instead of an answer."""
        self.wire.send_response(self.invite, self._response(status, b""))
        self._end("", status)

    def hang_up(self) -> None:
        """End the call, whatever it takes at this moment."""
        if self.state is State.ENDED:
            return
        if self.state is State.ANSWERED:
            self.wire.send_request(self, self._request("BYE"))
            self._end(NORMAL_CLEARING, self.status)
        elif not self.is_ours:
            self.refuse(480)
        elif not self._wants_to_end:
            self._wants_to_end = True
            if self.status:  # RFC 3261 §9.1: no CANCEL before a provisional response
                self._cancel()

    # What the network brings

    def take_response(self, response: Response) -> None:
        """An answer to our INVITE; answers to other requests change nothing."""
        if method_of(response) != "INVITE":
            return
        if response.status >= 300:
            self._acknowledge_failure(response)
            self._end(self._cause_of(response), response.status)
            return
        self.remote = header(response, "To")
        is_first, self.status = not self.status, response.status
        if response.status >= 200:
            self._take_answer(response)
        elif self._wants_to_end:
            if is_first:
                self._cancel()
        elif response.status > 100:
            self._take_description(response.body)
            self._becomes(State.RINGING)

    def take_request(self, request: Request) -> None:
        """A request within the call."""
        match request.method:
            case "ACK":
                self._stop_repeating()
            case "BYE":
                self.wire.send_response(request, response_to(request, 200, self._tag()))
                self._end(cause_in(request) or NORMAL_CLEARING, self.status)
            case "CANCEL":
                self.wire.send_response(request, response_to(request, 200, self._tag()))
                if self.state < State.ANSWERED:
                    self.wire.send_response(self.invite, self._response(487, b""))
                    self._end(cause_in(request) or ORIGINATOR_CANCEL, 487)
            case "INVITE":
                self._take_new_offer(request)
            case _:
                self.wire.send_response(request, response_to(request, 200, self._tag()))

    # SIP

    def _progress(self, status: int, body: bytes) -> None:
        if self.state < State.ANSWERED:
            self.wire.send_response(self.invite, self._response(status, body))
            self._becomes(State.RINGING)

    def _description(self) -> bytes:
        """Our side of the audio, after having read theirs."""
        host = self.wire.contact.rpartition(":")[0]
        theirs = parse_audio(self.invite.body)
        self.stream.send_to(theirs)
        return describe(host, self.stream.port, keys=theirs.keys or 101)

    def _take_description(self, body: bytes) -> None:
        if body:
            self.stream.send_to(parse_audio(body))

    def _take_answer(self, response: Response) -> None:
        is_new = self.state < State.ANSWERED
        self.target = uri_in(header(response, "Contact"))
        self.routes = tuple(("Route", value) for value in reversed(every(response, "Record-Route")))
        self.wire.send_request(self, self._request("ACK", sequence=1))
        if is_new:
            self._take_description(response.body)
            self._becomes(State.ANSWERED)
            if self._wants_to_end:  # the answer was faster than the CANCEL
                self.hang_up()

    def _take_new_offer(self, request: Request) -> None:
        self.offered_s.append(asyncio.get_running_loop().time())
        contact = header(request, "Contact")
        if contact:  # RFC 3261 §12.2.2: from here on the other side is reached there
            self.target = uri_in(contact)
        try:
            self._take_description(request.body)
        except NoAudio:
            self.wire.send_response(request, response_to(request, 488, self._tag()))
            return
        host = self.wire.contact.rpartition(":")[0]
        headers = (("Contact", self._contact()), ("Content-Type", "application/sdp"))
        body = describe(host, self.stream.port, version=2)
        self.wire.send_response(request, response_to(request, 200, self._tag(), headers, body))

    def _acknowledge_failure(self, response: Response) -> None:
        """RFC 3261 §17.1.1.3: within the transaction of the INVITE."""
        kept = tuple(pair for pair in self.invite.headers if pair[0] in ("From", "Call-ID", "Max-Forwards"))
        headers = (*kept, ("To", header(response, "To")), ("CSeq", "1 ACK"))
        self.wire.send_request(self, Request("ACK", self.invite.uri, headers), branch=self._branch)

    def _cancel(self) -> None:
        kept = tuple(pair for pair in self.invite.headers if pair[0] in ("From", "To", "Call-ID", "Max-Forwards"))
        request = Request("CANCEL", self.invite.uri, (*kept, ("CSeq", "1 CANCEL")))
        self.wire.send_request(self, request, branch=self._branch)

    def _cause_of(self, response: Response) -> str:
        return cause_in(response) or (ORIGINATOR_CANCEL if self._wants_to_end else f"SIP {response.status}")

    def _request(self, method: str, sequence: int | None = None) -> Request:
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        headers = (
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{sequence} {method}"),
            ("Max-Forwards", "70"),
            *self.routes,
        )
        return Request(method, self.target, headers)

    def _response(self, status: int, body: bytes) -> Response:
        headers: Headers = (("Contact", self._contact()), *((("Content-Type", "application/sdp"),) if body else ()))
        return response_to(self.invite, status, self._tag(), headers, body)

    def _contact(self) -> str:
        return f"<sip:{self.wire.contact}>"

    def _tag(self) -> str:
        return tag_in(self.local)

    def _repeat_until_acknowledged(self, response: Response, after_s: float) -> None:
        self.wire.send_response(self.invite, response)
        loop = asyncio.get_running_loop()
        self._again = loop.call_later(after_s, self._repeat_until_acknowledged, response, min(after_s * 2, 4.0))

    def _stop_repeating(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _becomes(self, state: State) -> None:
        if state > self.state:
            self.state = state
            self._tell()

    def _end(self, cause: str, status: int) -> None:
        if self.state is State.ENDED:
            return
        self._stop_repeating()
        self.state, self.cause, self.status = State.ENDED, cause or f"SIP {status}", status
        self.wire.closed(self)
        self._tell()

    def _tell(self) -> None:
        for watcher in list(self.watchers):
            watcher()


def response_to(request: Request, status: int, tag: str, headers: Headers = (), body: bytes = b"") -> Response:
    """A response with what it must repeat of the request (RFC 3261 §8.2.6.2)."""
    to = header(request, "To")
    if status > 100 and not tag_in(to):
        to = f"{to};tag={tag}"
    kept = [("Via", value) for value in every(request, "Via")]
    kept += [("Record-Route", value) for value in every(request, "Record-Route")]
    kept += [(name, header(request, name)) for name in ("From", "Call-ID", "CSeq")]
    return Response(status, _REASONS.get(status, "Status"), (*kept, ("To", to), *headers), body)
