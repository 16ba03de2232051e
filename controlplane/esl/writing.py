"""What FreeSWITCH writes, byte for byte: frames for the emulator to send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

# Bytes that the plain format writes as %XX (switch_utils.h:47, switch_url_encode): what is not printable ASCII, and
# these. A %XX that stands there already, in capital letters, is left alone; so the format is not exact.
_ENCODED = re.compile(rb'%(?![0-9A-F]{2})|[^!-~]|["#&+:;<=>?@\[\\\]^`{|}]')

_GOODBYE = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"


def encode_event_plain(headers: Iterable[tuple[str, str]], body: str | None = None) -> bytes:
    """An event after `event plain`. Headers in the order given; an empty value goes out as `_undef_`."""
    lines = b"".join(b"%b: %b\n" % (name.encode(), quote_value(value).encode()) for name, value in headers)
    inner = (body or "").encode()
    block = lines + (b"Content-Length: %d\n\n%b" % (len(inner), inner) if inner else b"\n")
    return _event(b"plain", block)


def encode_event_json(headers: Iterable[tuple[str, str]], body: str | None = None) -> bytes:
    """An event after `event json`, written as cJSON does; a repeated name is repeated."""
    pairs = list(headers)
    if body is not None:
        pairs += [("Content-Length", str(len(body.encode()))), ("_body", body)]
    members = ",".join(f"{_json(name)}:{_json(value)}" for name, value in pairs)
    return _event(b"json", f"{{{members}}}".encode())


def encode_command_reply(text: str, extra_headers: Iterable[tuple[str, str]] = ()) -> bytes:
    """The answer to every command but `api`; values are not encoded here (`bgapi` adds Job-UUID)."""
    lines = [("Content-Type", "command/reply"), ("Reply-Text", text), *extra_headers]
    return ("".join(f"{name}: {value}\n" for name, value in lines) + "\n").encode()


def encode_api_response(body: str) -> bytes:
    """The answer to `api`; one that says nothing is `-ERR no reply`."""
    inner = (body or "-ERR no reply\n").encode()
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(inner), inner)


def encode_auth_request() -> bytes:
    """What a link hears first."""
    return b"Content-Type: auth/request\n\n"


def encode_disconnect_notice() -> bytes:
    """What a link hears last, after `exit` or a refused password."""
    inner = _GOODBYE.encode()
    return b"Content-Type: text/disconnect-notice\nContent-Length: %d\n\n%b" % (len(inner), inner)


def quote_value(value: str) -> str:
    """A value as it stands in a plain event."""
    quoted = _ENCODED.sub(lambda match: b"%%%02X" % match[0][0], value.encode())
    return quoted.decode() or "_undef_"


def _event(kind: bytes, block: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-%b\n\n%b" % (len(block), kind, block)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
