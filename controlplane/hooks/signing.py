"""Signatures that let an application know that a request is ours.

Twilio's scheme (X-Twilio-Signature): HMAC-SHA1 in Base64 over the URL and, for a form, its fields. Teler's
(X-Teler-Signature): HMAC-SHA256 in hexadecimal over a timestamp and the raw body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def sign_form(url: str, parameters: Iterable[tuple[str, str]], token: str) -> str:
    """Sign a form POST, or, with no parameters, a GET or a WebSocket handshake.

    `url` is what is asked, query included, without a fragment. Names are sorted by code point; the values of a repeated
    name are taken once each, sorted, every one with its name before it.
    """
    fields = sorted(set(parameters))
    return _hmac_sha1(url + "".join([name + value for name, value in fields]), token)


def sign_teler(secret: str, timestamp_s: int, body: bytes) -> str:
    """Sign an event: HMAC-SHA256 of "<timestamp>.<raw body>", the timestamp in Unix seconds."""
    return hmac.new(secret.encode(), str(timestamp_s).encode("ascii") + b"." + body, hashlib.sha256).hexdigest()


def _hmac_sha1(text: str, token: str) -> str:
    # SHA-1 is what receivers of this scheme compute; as a keyed hash it still holds (RFC 6194 §3.3).
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1")).decode("ascii")
