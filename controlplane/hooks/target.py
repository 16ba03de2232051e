"""A tenant's URL, read once and strictly, so that what is checked, signed and sent is one and the same text."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Literal
from urllib.parse import quote, unquote_to_bytes, urljoin

import idna
from yarl import URL

from controlplane.base.addresses import is_spelled_as_number, parse_address
from controlplane.hooks.errors import Code, HookError

MAX_URL_CHARS = 8000  # what common servers take as a request line
MAX_HOST_CHARS = 253  # RFC 1035 §2.3.4, less the length bytes

_SHAPE = re.compile(
    r"(?P<scheme>https?)://(?:(?P<userinfo>[^/?#@]*)@)?(?P<host>\[[^\]/?#@]*\]|[^:/?#@\[\]]+)(?::(?P<port>\d{0,5}))?"
    r"(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?\Z",
    re.ASCII | re.IGNORECASE,
)
# Control characters, blanks and backslashes: two parsers never agree about them.
_REFUSED = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff\ufeff]")
_UNSAFE = re.compile(r"[^!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")
_SAFE = "!$%&'()*+,-./:;=?@[]_~"
_SAFE_IN_USERINFO = "!$%&'()*+,-.:;=_~"
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """Where a request goes. `host` is as written (A-labels for other scripts, no brackets), `port` 0 where none was.

    `path` and `query` are what goes over the wire, `credentials` the value of an Authorization header or "".
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    path: str
    query: str
    userinfo: str = field(default="", repr=False)
    fragment: str = ""

    @cached_property
    def authority(self) -> str:
        """Host and port as they were written: the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @cached_property
    def url(self) -> str:
        """What is asked for, without credentials and fragment: the text that is signed."""
        return f"{self.scheme}://{self.authority}{self.path_and_query}"

    @cached_property
    def url_with_credentials(self) -> str:
        """The base of relative URLs: the same, credentials kept."""
        return (
            self.url if not self.userinfo else f"{self.scheme}://{self.userinfo}@{self.authority}{self.path_and_query}"
        )

    @property
    def path_and_query(self) -> str:
        """The request target of the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @cached_property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host in lower case, port in effect."""
        return self.scheme, self.host.lower(), self.port or (443 if self.scheme == "https" else 80)

    @cached_property
    def credentials(self) -> str:
        """The value of an Authorization header (RFC 7617), or ""."""
        if not self.userinfo:
            return ""
        user, _, password = self.userinfo.partition(":")
        pair = unquote_to_bytes(user) + b":" + unquote_to_bytes(password)
        return "Basic " + base64.b64encode(pair).decode("ascii")

    @cached_property
    def for_wire(self) -> URL:
        """The same for aiohttp, which must not touch its spelling."""
        return URL(self.url, encoded=True)

    def with_query(self, more: str) -> Target:
        """The same with more (an encoded string) at the end of the query."""
        if not more:
            return self
        return replace(self, query=f"{self.query}&{more}" if self.query else more)

    def follow(self, location: str) -> Target:
        """Where a Location header leads from here; raises HookError."""
        if _REFUSED.search(location):
            raise HookError(Code.PROTOCOL_VIOLATION, "the Location header holds characters that no URL has")
        try:
            return parse_target(urljoin(self.url, location))
        except ValueError as error:
            raise HookError(Code.PROTOCOL_VIOLATION, "the Location header is not a URL") from error


@lru_cache(512)
def parse_target(text: str) -> Target:
    """Read an absolute http or https URL; raises HookError 11100 (not a URL we take) or 11210 (not a host name).

    Characters that a URL may not hold but people write (other scripts, quotes, braces) are percent-encoded in UTF-8;
    everything else stays as it is written, percent-encodings too.
    """
    match = None if len(text) > MAX_URL_CHARS or _REFUSED.search(text) else _SHAPE.match(text)
    if match is None:
        raise HookError(Code.URL_NOT_VALID, "not an absolute http or https URL", url="")
    port = int(match["port"]) if match["port"] else 0
    if port > 65535 or (match["port"] and port == 0):
        raise HookError(Code.URL_NOT_VALID, "the URL's port is not between 1 and 65535")
    return Target(
        scheme="https" if match["scheme"].lower() == "https" else "http",
        host=_host_of(match["host"]),
        port=port,
        path=_for_wire(match["path"] or "/"),
        query=_for_wire(match["query"] or ""),
        # RFC 3986 §3.2.1 has no brackets here, and readers of URLs raise at them and at letters that look like slashes.
        userinfo=quote(match["userinfo"] or "", safe=_SAFE_IN_USERINFO),
        fragment=match["fragment"] or "",
    )


def _for_wire(text: str) -> str:
    return quote(text, safe=_SAFE) if _UNSAFE.search(text) else text


def _host_of(written: str) -> str:
    if written.startswith("["):
        inner = written[1:-1]
        # A zone id (RFC 6874) names a network of this machine, which is nothing a tenant knows.
        if parse_address(inner) is None or ":" not in inner or "%" in inner:
            raise HookError(Code.BAD_HOST, "the URL's host is not an IPv6 address")
        return inner
    host = written if written.isascii() else _to_a_labels(written)
    if is_spelled_as_number(host):
        if parse_address(host) is None:
            raise HookError(Code.BAD_HOST, "the URL's host is a number and not four decimal octets")
        return host
    if "_" in host:
        raise HookError(Code.BAD_HOST, "the URL's host name holds an underscore")
    labels = host.removesuffix(".").split(".")
    if len(host) > MAX_HOST_CHARS or not all(_LABEL.match(label) for label in labels):
        raise HookError(Code.BAD_HOST, "the URL's host is not a host name")
    return host


def _to_a_labels(host: str) -> str:
    """Turn a name in other scripts into ASCII (UTS 46, RFC 5891); full-width digits come out as digits."""
    if len(host) > MAX_HOST_CHARS:
        raise HookError(Code.BAD_HOST, "the URL's host is not a host name")
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise HookError(Code.BAD_HOST, "the URL's host is not a host name") from error


def hide_credentials(text: str) -> str:
    """What a tenant may be shown of a URL that could not be read: its beginning, nothing before an @, no fragment."""
    scheme, slashes, rest = text[:500].partition("#")[0].partition("://")
    return scheme + slashes + rest.rpartition("@")[2] if slashes else scheme.rpartition("@")[2]
