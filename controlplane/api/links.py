"""Links to recordings: signed ones that end, and those that TwiML applications get, which only who was told can know.

A signed link is `/media/recordings/<account>/<recording>.wav?expires=<seconds since the epoch>&signature=<hex>`; the
signature is HMAC-SHA256 of everything before it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from controlplane.api.errors import LinkExpired, LinkRefused, NoSuchPath
from controlplane.base.ids import ACCOUNT, RECORDING, id_of

_FILE = re.compile(r"(?P<name>[A-Za-z0-9_]+?)(?:\.(?P<form>wav|mp3))?\Z")
_SID = re.compile(r"[A-Z]{2}([0-9a-f]{32})\Z")


@dataclass(frozen=True, slots=True)
class FileName:
    """What a link's last part says: which recording, and as what (wav or mp3)."""

    name: str
    form: str


def parse_file(text: str) -> FileName:
    """Read the last part of a link; raises NoSuchPath."""
    match = _FILE.match(text)
    if match is None:
        raise NoSuchPath
    return FileName(match["name"], match["form"] or "wav")


def id_of_sid(prefix: str, sid: str) -> str:
    """Our id behind an id as TwiML applications write it; raises NoSuchPath."""
    letters = {ACCOUNT: "AC", RECORDING: "RE"}[prefix]
    match = _SID.match(sid)
    if match is None or not sid.startswith(letters):
        raise NoSuchPath
    return id_of(prefix, int(match[1], 16))


def path_of(account_id: str, recording_id: str) -> str:
    """The path of a signed link."""
    return f"/media/recordings/{account_id}/{recording_id}.wav"


def sign(key: bytes, path: str, expires_at_s: int) -> str:
    """The query that makes a path a signed link until then (seconds since the epoch)."""
    return f"expires={expires_at_s}&signature={_signature(key, path, str(expires_at_s))}"


def check(keys: Sequence[bytes], path: str, expires: str, signature: str, now_s: int) -> None:
    """Judge a link signed with any of these keys; raises LinkRefused, LinkExpired."""
    given = signature.encode("utf-8", "replace")
    if not any(hmac.compare_digest(_signature(key, path, expires).encode(), given) for key in keys):
        raise LinkRefused
    if int(expires) <= now_s:  # signed by us, so it is a number
        raise LinkExpired


def _signature(key: bytes, path: str, expires: str) -> str:
    return hmac.new(key, f"{path}?expires={expires}".encode("utf-8", "replace"), sha256).hexdigest()
