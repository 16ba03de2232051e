"""SIP addresses to dial, by a strict subset of RFC 3261 §25.1: what a dial string gives meaning to is not in it.

`sip:user@host[:port][;transport=udp|tcp|tls][?header=value&…]`. Quotes, brackets, braces, `$`, `|`, `,`, blanks, `%`
in the user, passwords and IPv6 addresses are refused; so are header values that could not be sent as they stand.
Limits: 255 characters for the address, 1,024 for its headers (Twilio's TwiML, Sip), of which there are 32 at most.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from controlplane.verbs.kinds import Json, Schema, Unfit, json_type, plain_string, shown

LONGEST_URI = 255
LONGEST_HEADERS = 1024
MAX_HEADERS = 32

# Codes of the reference: 13243 not an address, 13252 header name, 13253 headers too long, 32110 parts of an address
# that are passed over, 32112 header value.
_ADDRESS = re.compile(
    r"(?P<scheme>sips?):(?P<user>[A-Za-z0-9_.~*+!-]{1,128})@(?P<host>[^:;@\s]{1,253})(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>(?:;[A-Za-z0-9_.~*+!-]{1,64}(?:=[A-Za-z0-9_.~*+!%-]{1,128})?)*)\Z",
    re.IGNORECASE | re.ASCII,
)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_HEADER_NAME = re.compile(
    r"(X-[A-Za-z0-9-]{1,60}|User-to-User|Remote-Party-ID|P-Preferred-Identity|P-Called-Party-ID)\Z"
)
_HEADER_MARK = r"[A-Za-z0-9._~:/@+=;*()!%#?&-]"
_HEADER_VALUE = re.compile(rf"{_HEADER_MARK}(?:(?:{_HEADER_MARK}| ){{0,254}}{_HEADER_MARK})?\Z")
_TRANSPORTS = ("udp", "tcp", "tls")
_WITHOUT_EFFECT = ("user", "region", "edge", "lr", "ob")


@dataclass(frozen=True, slots=True)
class Passed:
    """A part of an address that was passed over, and the reference's number for that."""

    problem: str
    code: int


@dataclass(frozen=True, slots=True)
class SipAddress:
    """An address in its one way of writing, the headers that came with it, and what was passed over."""

    uri: str
    headers: tuple[tuple[str, str], ...] = ()
    passed: tuple[Passed, ...] = ()


def parse_sip(text: str) -> SipAddress:
    """Read an address with or without `?headers`; raises Unfit."""
    address, question, query = text.strip().partition("?")
    if len(address) > LONGEST_URI:
        raise Unfit(f"must be at most {LONGEST_URI} characters long")
    match = _ADDRESS.match(address)
    if match is None or not _HOST.match(match["host"]) or "fs_path" in match["user"].lower():
        raise Unfit(f"must be a SIP address such as sip:alice@example.com, not {shown(address)}")
    port = match["port"]
    if port is not None and not 1 <= int(port) <= 65535:
        raise Unfit(f"has no port from 1 to 65535 but {port}")
    transport, passed = _transport(match["parameters"])
    hop = match["host"] + (f":{int(port)}" if port else "") + (f";transport={transport}" if transport else "")
    headers, more = parse_headers(_pairs(query)) if question else ((), ())
    return SipAddress(f"{match['scheme'].lower()}:{match['user']}@{hop}", headers, passed + more)


def parse_headers(pairs: list[tuple[str, str]]) -> tuple[tuple[tuple[str, str], ...], tuple[Passed, ...]]:
    """Choose the headers that can be sent, one of each name, and say what was passed over."""
    chosen: dict[str, tuple[str, str]] = {}
    passed: list[Passed] = []
    size = 0
    if len(pairs) > MAX_HEADERS:
        passed.append(Passed(f"has more than {MAX_HEADERS} headers", 13251))
    for name, written in pairs[:MAX_HEADERS]:
        value = written.strip()
        size += len(name) + len(value) + 2
        if not _HEADER_NAME.match(name):
            passed.append(Passed(f"header {shown(name)}: must be X-… or one of the few others that may be set", 13252))
        elif name.lower() in chosen:
            passed.append(Passed(f"header {name}: is given twice", 13252))
        elif not _HEADER_VALUE.match(value) or ":_:" in value:
            passed.append(Passed(f"header {name}: has characters that cannot be sent, or more than 256", 32112))
        elif size > LONGEST_HEADERS:
            passed.append(Passed(f"header {name}: headers are longer than {LONGEST_HEADERS} characters", 13253))
        else:
            chosen[name.lower()] = (name, value)
    return tuple(chosen.values()), tuple(passed)


@dataclass(frozen=True, slots=True)
class Headers:
    """Headers as a JSON object of name and value; which may be set is for `parse_headers` to say."""

    def from_text(self, text: str) -> list[tuple[str, str]]:
        return _pairs(text)

    def from_json(self, value: Json) -> list[tuple[str, str]]:
        if not isinstance(value, dict):
            raise Unfit(f"must be an object of names and values, not {json_type(value)}")
        return [(name, plain_string(text, f"a string for {shown(name)}")) for name, text in value.items()]

    def to_text(self, value: tuple[tuple[str, str], ...]) -> str:
        return "&".join(f"{name}={quote(text, safe='')}" for name, text in value)

    def to_json(self, value: tuple[tuple[str, str], ...]) -> Json:
        return dict(value)

    def schema(self) -> Schema:
        return {"type": "object", "additionalProperties": {"type": "string", "maxLength": 256}}


def _transport(parameters: str) -> tuple[str, tuple[Passed, ...]]:
    transport, passed = "", []
    for parameter in filter(None, parameters.split(";")):
        name, _, value = parameter.lower().partition("=")
        if name == "transport" and value in _TRANSPORTS:
            transport = value
        elif name == "transport":
            raise Unfit(f"has no transport udp, tcp or tls but {shown(value)}")
        elif name not in _WITHOUT_EFFECT:
            passed.append(Passed(f"parameter {shown(name)} of the address is not known", 32110))
    return transport, tuple(passed)


def _pairs(query: str) -> list[tuple[str, str]]:
    parts = (part.partition("=") for part in query.split("&", MAX_HEADERS + 1) if part)
    return [(unquote(name), unquote(value, errors="replace")) for name, _, value in parts]
