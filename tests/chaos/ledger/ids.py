"""Names of calls: a prefix and 26 letters of Crockford's base32, or two letters and hexadecimal, or a UUID."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import unquote
from uuid import UUID

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = 26  # of five bits each


def name_of(uuid: str, prefix: str = "cs") -> str:
    """A UUID as tenants read it, `cs_…`."""
    bits = UUID(uuid).int
    return f"{prefix}_{''.join(_ALPHABET[(bits >> shift) & 31] for shift in range(125, -1, -5))}"


def uuid_of(name: object) -> str | None:
    """The UUID behind `cs_…`, `CA…` or a UUID; None if it is none of these."""
    if not isinstance(name, str):
        return None
    with suppress(ValueError):
        _, has_prefix, letters = name.partition("_")
        if has_prefix and len(letters) == _LETTERS:
            bits = 0
            for letter in letters:
                bits = bits << 5 | _ALPHABET.index(letter)
            return str(UUID(int=bits))
        return str(UUID(name[2:] if len(name) == 34 else name))
    return None


def number_of(address: str) -> str:
    """The number in what was dialled: of a SIP URI its user, percent-encoding undone, as FreeSWITCH leaves some."""
    user = address.partition(":")[2] if address.startswith(("sip:", "sips:")) else address
    return unquote(user.partition("@")[0].partition(";")[0])
