"""The cookies of one call: kept while it lasts, sent back to the host that set them, never shared with another call."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from controlplane.hooks.target import Target

MAX_COOKIES = 20
MAX_COOKIE_CHARS = 4096  # RFC 6265 §6.1

# RFC 6265 §4.1.1, quotes let through because servers use them.
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z", re.ASCII)
_VALUE = re.compile(r'[!-+\--:<-\[\]-~"]*\Z', re.ASCII)


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. `host` and `path` say where it goes back to; `is_secure` keeps it from plain http."""

    host: str
    path: str
    name: str
    value: str
    is_secure: bool


class CallCookies:
    """A small jar. Cookies go to the very host that set them: a Domain attribute widens nothing here."""

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self._jar = {(cookie.host, cookie.path, cookie.name): cookie for cookie in cookies}

    @property
    def cookies(self) -> tuple[Cookie, ...]:
        """All there are, oldest first: give them to a new jar to go on elsewhere."""
        return tuple(self._jar.values())

    def header_for(self, target: Target) -> str:
        """The Cookie header of a request, or "", longer paths first (RFC 6265 §5.4)."""
        if not self._jar:
            return ""
        scheme, host, _ = target.origin
        fitting = [
            cookie
            for cookie in self._jar.values()
            if cookie.host == host
            and _is_under(target.path, cookie.path)
            and (scheme == "https" or not cookie.is_secure)
        ]
        fitting.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in fitting)

    def take(self, target: Target, headers: Iterable[str]) -> None:
        """Keep what Set-Cookie headers set, drop what they expire; the malformed and those above bounds are ignored."""
        for header in headers:
            self._take_one(target, header)

    def _take_one(self, target: Target, header: str) -> None:
        pair, *attributes = header.split(";")
        name, equals, value = (part.strip() for part in pair.partition("="))
        said = {key.strip().lower(): text.strip() for key, _, text in (part.partition("=") for part in attributes)}
        if not equals or not _NAME.match(name) or not _VALUE.match(value) or len(name + value) > MAX_COOKIE_CHARS:
            return
        path = said.get("path", "")
        path = path if path.startswith("/") else target.path.rpartition("/")[0] or "/"
        cookie = Cookie(target.origin[1], path, name, value, "secure" in said)
        key = (cookie.host, cookie.path, cookie.name)
        if _is_expired(said):
            self._jar.pop(key, None)
        elif key in self._jar or len(self._jar) < MAX_COOKIES:
            self._jar[key] = cookie


def _is_under(path: str, parent: str) -> bool:
    """RFC 6265 §5.1.4."""
    return path == parent or path.startswith(parent if parent.endswith("/") else f"{parent}/")


def _is_expired(attributes: dict[str, str]) -> bool:
    age = attributes.get("max-age", "")
    if re.fullmatch(r"-?\d+", age, re.ASCII):
        return age.startswith("-") or not age.strip("0")
    try:
        return parsedate_to_datetime(attributes.get("expires", "")).timestamp() <= time.time()
    except (ValueError, OverflowError):
        return False
