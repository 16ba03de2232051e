"""Where a leg is dialled: SIP addresses by a strict subset of RFC 3261 §25.1.

A dial string is `sofia/<profile>/<address>`. FreeSWITCH takes parameters after `;` there as they stand and puts them on
the wire (seen on 1.10.12: `sofia/internal/sip:bob@192.0.2.1:5060;transport=tcp` sends `INVITE sip:bob@192.0.2.1:5060;
transport=tcp`), but looks for parameters of its own in the whole text: `fs_path` sends the call elsewhere, `port=`
anywhere is taken for the transport. So parameters come from a table. What a dial string gives meaning to is not in the
grammar: no password, no `?headers`, no `%`, no IPv6 (brackets hold variables there), and only one `@`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from controlplane.base.e164 import E164, parse_e164
from controlplane.esl.errors import UnsafeValue

_USER = re.compile(r"[A-Za-z0-9_.~*+!()-]{1,128}\Z")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\Z")
_PROFILE = re.compile(r"(?!gateway\Z)[A-Za-z0-9_-]{1,64}\Z")
_ADDRESS = re.compile(r"(?P<scheme>sips?):(?P<user>[^@]*)@(?P<hop>[^@]*)\Z", re.IGNORECASE)
_PORT = re.compile(r"[0-9]{1,5}\Z")


class Transport(StrEnum):
    """What carries the SIP messages."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Hop:
    """A host, and how to reach it; what is None is left to FreeSWITCH (port 5060, UDP)."""

    host: str
    port: int | None = None
    transport: Transport | None = None

    def __post_init__(self) -> None:
        if not _HOST.match(self.host):
            raise UnsafeValue("Not a host name or IPv4 address.")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise UnsafeValue("Not a port.")

    def __str__(self) -> str:
        port = f":{self.port:d}" if self.port is not None else ""
        transport = f";transport={Transport(self.transport).value}" if self.transport is not None else ""
        return f"{self.host}{port}{transport}"


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user@host:port;transport=…`, or `sips:`."""

    user: str
    hop: Hop
    is_secure: bool = False

    def __post_init__(self) -> None:
        if not _USER.match(self.user) or "fs_path" in self.user.lower():
            raise UnsafeValue("Not a SIP user.")

    def __str__(self) -> str:
        return f"{'sips' if self.is_secure else 'sip'}:{self.user}@{self.hop}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address and the sofia profile by which calls to it leave the media node."""

    profile: str
    uri: SipUri

    def __post_init__(self) -> None:
        if not _PROFILE.match(self.profile):
            raise UnsafeValue("Not a sofia profile.")

    def __str__(self) -> str:
        return f"sofia/{self.profile}/{self.uri}"


def parse_hop(text: str) -> Hop:
    """Read `host[:port][;transport=udp|tcp|tls]`; raises UnsafeValue."""
    address, *parameters = text.split(";")
    host, colon, port = address.partition(":")
    if colon and not _PORT.match(port):
        raise UnsafeValue("Not a port.")
    return Hop(host, int(port) if colon else None, _transport(parameters))


def parse_sip_uri(text: str) -> SipUri:
    """Read `sip:user@host[:port][;transport=…]`; raises UnsafeValue.

    `user=phone` is accepted and left out. Other parameters, passwords, headers and IPv6 addresses are refused.
    """
    parts = _ADDRESS.match(text)
    if parts is None:
        raise UnsafeValue("Not a SIP address.")
    return SipUri(parts["user"], parse_hop(parts["hop"]), is_secure=parts["scheme"].lower() == "sips")


def number_at(number: str, hop: Hop) -> SipUri:
    """The address of a phone number at a gateway; raises InvalidNumber."""
    return SipUri(parse_e164(E164(number)), hop)


def _transport(parameters: list[str]) -> Transport | None:
    transport = None
    for parameter in parameters:
        name, _, value = parameter.lower().partition("=")
        if name == "transport" and value in set(Transport):
            transport = Transport(value)
        elif (name, value) != ("user", "phone"):
            raise UnsafeValue("Not a parameter that a SIP address may have here.")
    return transport
