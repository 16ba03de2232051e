"""URLs of applications, as a document writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from controlplane.verbs.kinds import Json, Schema, Unfit, plain_string, shown

_USUAL_URL = re.compile(  # what _URL and _NOT_IN_URL allow too, found out faster
    r"(?:https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?|[A-Za-z0-9._~%-]*)(?:[/?#](?!/)[!#-;=?-\[\]-~]*)?\Z"
)
_is_usual = _USUAL_URL.match
_URL = re.compile(
    r"https?://(?:[^\s/?#@\"<>\\]*@)?(?:(?:[^\W_]|[.-])+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#]|\Z)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_NOT_IN_URL = re.compile(r"[\s\x00-\x20\x7f\"<>\\]")


@dataclass(frozen=True, slots=True)
class Url:
    """An http or https URL, or one relative to the document's. Whether there is a document URL is the reader's to say.

    Host names hold no underscore (Twilio's TwiML, documents). Faults do not repeat URLs, which may hold a password.
    """

    def from_text(self, text: str) -> str:
        if _is_usual(text):
            return text
        text = text.strip()
        if _URL.match(text) is None and (_SCHEME.match(text) or text.startswith("//")):
            raise Unfit(self._problem(text))
        if not _can_be_joined(text):
            raise Unfit(self._problem(text))
        if _NOT_IN_URL.search(text):
            raise Unfit("is no URL: blanks, quotes, angle brackets and backslashes must be written as %20, %22…")
        return text

    def from_json(self, value: Json) -> str:
        return self.from_text(plain_string(value, "a URL"))

    def to_text(self, value: str) -> str:
        return value

    def to_json(self, value: str) -> Json:
        return value

    def schema(self) -> Schema:
        return {"type": "string", "format": "uri-reference"}

    def _problem(self, text: str) -> str:
        scheme = text.partition(":")[0].lower()
        if text.startswith("//") or scheme in ("http", "https"):
            return "is no URL with a host that can be asked (letters, digits, dots and hyphens)"
        return f"must be an http or https URL, not {shown(scheme)}:"


def _can_be_joined(text: str) -> bool:
    """Whether `urljoin` can read it: it raises at brackets around no address, and at letters that look like slashes."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def is_relative(url: str) -> bool:
    """Say whether a URL that `Url` read needs the document's URL to mean anything."""
    return not url[:8].lower().startswith(("http://", "https://"))
