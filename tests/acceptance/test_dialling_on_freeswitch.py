"""What a real FreeSWITCH puts on the wire for the dial strings that can be built."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from controlplane.esl import apis
from controlplane.esl.commands import EslEventName
from controlplane.esl.dialstring import DialledLeg
from controlplane.esl.sip_uri import Endpoint, Hop, SipUri, Transport
from controlplane.esl.values import SipHeader, SipLogin, display_name
from controlplane.esl.variables import Setting, Variable
from tests.acceptance.media_node import MediaNode, new_uuid

pytestmark = pytest.mark.freeswitch


@dataclass(frozen=True, slots=True)
class Invite:
    """A request as it came."""

    line: str
    headers: dict[str, str]


@dataclass(slots=True)
class Phone:
    """Somebody outside who refuses every call, at first with a question for a password if told to."""

    listening: socket.socket
    asks_for_password: bool = False

    @property
    def hop(self) -> Hop:
        kind = Transport.TCP if self.listening.type == socket.SOCK_STREAM else None
        return Hop("127.0.0.1", self.listening.getsockname()[1], kind)

    def refuse_one(self) -> Invite:
        """Wait for a call, refuse it, and answer what was asked."""
        if self.hop.transport is Transport.TCP:
            stream, _ = self.listening.accept()
            with stream:
                stream.settimeout(10)
                invite = _read(stream.recv(65535))
                stream.sendall(_refusal(invite, "486 Busy"))
                return invite
        while True:
            data, sender = self.listening.recvfrom(65535)
            if not data.startswith(b"INVITE"):
                continue
            invite = _read(data)
            if self.asks_for_password and "authorization" not in invite.headers:
                ask = 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5\r\n'
                self.listening.sendto(_refusal(invite, "401 Who", ask), sender)
                continue
            self.listening.sendto(_refusal(invite, "486 Busy"), sender)
            return invite


def _read(data: bytes) -> Invite:
    line, *lines = data.decode().split("\r\n\r\n")[0].split("\r\n")
    pairs = (header.split(":", 1) for header in lines)
    return Invite(line, {name.strip().lower(): value.strip() for name, value in pairs})


def _refusal(invite: Invite, status: str, more: str = "") -> bytes:
    kept = "".join(f"{name}: {invite.headers[name]}\r\n" for name in ("via", "from", "call-id", "cseq"))
    return f"SIP/2.0 {status}\r\n{kept}to: {invite.headers['to']};tag=t\r\n{more}content-length: 0\r\n\r\n".encode()


@pytest.fixture
def phone() -> Iterator[Phone]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield Phone(listening)


def dial(node: MediaNode, phone: Phone, leg: DialledLeg, *settings: Setting) -> Invite:
    """Originate a call to the phone and answer the INVITE that it got."""
    link, job = node.link(EslEventName.BACKGROUND_JOB), new_uuid()
    assert link.send(apis.originate(leg, settings, job)) == f"+OK Job-UUID: {job}"
    invite = phone.refuse_one()
    assert link.until("BACKGROUND_JOB", Job_UUID=job).body == "-ERR USER_BUSY\n"
    return invite


def bob(phone: Phone, user: str = "bob") -> Endpoint:
    return Endpoint("internal", SipUri(user, phone.hop))


@pytest.mark.parametrize("user", ["bob", "+15550009999", "b.o-b_~!*()+1"])
def test_the_address_goes_out_as_it_was_given(node: MediaNode, phone: Phone, user: str) -> None:
    invite = dial(node, phone, DialledLeg(bob(phone, user)))
    assert invite.line == f"INVITE sip:{user}@127.0.0.1:{phone.hop.port} SIP/2.0"


def test_the_transport_is_obeyed(node: MediaNode) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        phone = Phone(listening)
        invite = dial(node, phone, DialledLeg(bob(phone)))
        port = phone.hop.port
    assert invite.line == f"INVITE sip:bob@127.0.0.1:{port};transport=tcp SIP/2.0"
    assert invite.headers["via"].startswith("SIP/2.0/TCP")


@pytest.mark.parametrize(
    "name", ["Alice", "Alice Smith", "Jürgen Ö 北京", "A & B (x) #1 2! = * ? +3-4_5.", "? a", "(a)", "+1", "&#"]
)
def test_every_safe_name_arrives_whole(node: MediaNode, phone: Phone, name: str) -> None:
    settings = (
        Setting(Variable.CALLER_NAME, display_name(name)),
        Setting(Variable.CALLER_NUMBER, "+15550001111"),
    )
    invite = dial(node, phone, DialledLeg(bob(phone), settings))
    assert invite.headers["from"].startswith(f'"{name}" <sip:+15550001111@127.0.0.1>;tag=')


def test_a_hidden_caller_has_no_number(node: MediaNode, phone: Phone) -> None:
    invite = dial(node, phone, DialledLeg(bob(phone), (Setting(Variable.CALLER_NUMBER, "anonymous"),)))
    assert re.search(r"<sip:anonymous@127\.0\.0\.1>", invite.headers["from"])


HEADERS = (
    SipHeader("X-All", "A z 0._~:/@+=;*()!%20#?&-"),
    SipHeader("X-Two", "b"),
    SipHeader("User-to-User", "00ff;encoding=hex"),
    SipHeader("P-Called-Party-ID", "sip:+15550001111@example.com"),
)


def test_headers_arrive_letter_by_letter(node: MediaNode, phone: Phone) -> None:
    invite = dial(node, phone, DialledLeg(bob(phone), headers=HEADERS))
    assert [invite.headers.get(header.name.lower()) for header in HEADERS] == [header.value for header in HEADERS]


@pytest.mark.parametrize("login", [SipLogin("bob", "secret"), SipLogin("b.o~b@x+=*!#?&-", "p.w_~/@+=;*()!#?&-")])
def test_a_callee_that_asks_gets_user_and_password(node: MediaNode, phone: Phone, login: SipLogin) -> None:
    phone.asks_for_password = True
    invite = dial(node, phone, DialledLeg(bob(phone), login=login))
    given = dict(re.findall(r'(\w+)="?([^",]*)"?', invite.headers["authorization"]))
    secret = hashlib.md5(f"{login.username}:r:{login.password}".encode()).hexdigest()
    request = hashlib.md5(f"INVITE:{given['uri']}".encode()).hexdigest()
    assert given["username"] == login.username
    assert given["response"] == hashlib.md5(f"{secret}:n:{request}".encode()).hexdigest()
