"""Ids: a prefix and a ULID (26 characters of Crockford base32 for 128 bits).

A call's id and its A-leg's channel UUID are the same 128 bits written in two ways: whoever sees a channel knows the
call without asking anyone, so that a call can be found again after a crash by its channel alone. The same bits with a
two-letter prefix and in hexadecimal are the ids that TwiML applications get (`CallSid`, 34 characters).
"""

from __future__ import annotations

import re
from typing import NewType

from controlplane.base.errors import InvalidId

CallId = NewType("CallId", str)  # cs_…
AccountId = NewType("AccountId", str)  # acc_…
LegId = NewType("LegId", str)  # a channel UUID, 36 characters, lower case
Token = NewType("Token", str)  # names one command of one call: see `token_of`

CALL, LEG, ACCOUNT, APP, NUMBER, EVENT, RECORDING, REQUEST, PLAYBACK, KEY, SECRET = (
    "cs", "cl", "acc", "va", "vn", "evt", "rec", "req", "pb", "key", "sec",
)  # fmt: skip

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]  # ten bits at a time, for speed
_LOW = (1 << 60) - 1
_TO_PYTHONS = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")  # the digits that int() knows
_ID = re.compile(r"[a-z]{2,3}_[0-7][0-9A-HJKMNP-TV-Z]{25}\Z")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def id_of(prefix: str, bits: int) -> str:
    """Write 128 bits as a prefixed ULID."""
    pairs, high, low = _PAIRS, bits >> 60, bits & _LOW  # small numbers, and no loop: three times as fast
    return (
        f"{prefix}_{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}{pairs[high >> 30 & 1023]}"
        f"{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}{pairs[high & 1023]}{pairs[low >> 50]}"
        f"{pairs[low >> 40 & 1023]}{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def bits_of(prefix: str, text: str) -> int:
    """Read the 128 bits of an id with this prefix; raises InvalidId."""
    if not _ID.match(text) or not text.startswith(f"{prefix}_"):
        raise InvalidId(None, prefix=prefix)
    return int(text[len(prefix) + 1 :].translate(_TO_PYTHONS), 32)


def mint(prefix: str, at_ms: int, entropy: bytes) -> str:
    """Make a new id from the time (milliseconds since the epoch) and 10 random bytes."""
    return id_of(prefix, (at_ms & (1 << 48) - 1) << 80 | int.from_bytes(entropy[:10], "big"))


def is_channel_uuid(text: str) -> bool:
    """Say whether this is a channel UUID as FreeSWITCH writes it."""
    return _UUID.match(text) is not None


def leg_of_call(call_id: CallId) -> LegId:
    """The channel UUID of a call's A-leg."""
    return _leg_of_bits(bits_of(CALL, call_id))


def call_of_leg(leg: LegId) -> CallId:
    """The call whose A-leg is this channel."""
    return CallId(id_of(CALL, _leg_bits(leg)))


def public_leg_id(leg: LegId) -> str:
    """A leg's id as the API shows it (cl_…)."""
    return id_of(LEG, _leg_bits(leg))


def leg_of_public_id(text: str) -> LegId:
    """The channel UUID behind a `cl_…` id; raises InvalidId."""
    return _leg_of_bits(bits_of(LEG, text))


def sid_of(letters: str, text: str) -> str:
    """The 34-character id of TwiML applications: two letters and the same 128 bits in hexadecimal.

    `text` is one of our ids or a channel UUID.
    """
    bits = _leg_bits(LegId(text)) if _UUID.match(text) else bits_of(text.partition("_")[0], text)
    return f"{letters}{bits:032x}"


def shard_of(leg: LegId) -> int:
    """The shard (0 to 15) of a channel: the last hexadecimal digit of its UUID."""
    return int(leg[-1], 16)


def leg_in_shard(bits: int, shard: int) -> LegId:
    """A channel UUID for a further leg: these 128 bits, moved into a shard."""
    return _leg_of_bits(bits & ~15 & (1 << 128) - 1 | shard)


def token_of(call_id: CallId, seq: int, index: int) -> Token:
    """Name the `index`-th command that the journal's entry `seq` gave rise to.

    The token is the ESL Event-UUID of what the command runs and the idempotency token of the request it makes, so that
    whoever gets the command twice can tell.
    """
    return Token(f"{call_id}.{seq}.{index}")


def is_later(one: str, other: Token) -> bool:
    """Say whether a token was made after another of the same call; what is no token was made before all."""
    return _place(one) > _place(other)


def _place(token: str) -> tuple[int, int]:
    _, seq, index = (*token.split("."), "", "")[:3]
    return (int(seq), int(index)) if seq.isdecimal() and index.isdecimal() else (-1, -1)


def call_of_token(token: str) -> CallId | None:
    """The call a token belongs to, or None if it is none of ours."""
    head, _, rest = token.partition(".")
    return CallId(head) if rest and _ID.match(head) else None


def _leg_of_bits(bits: int) -> LegId:
    digits = f"{bits:032x}"
    return LegId(f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")


def _leg_bits(leg: LegId) -> int:
    if not _UUID.match(leg):
        raise InvalidId(None, prefix=LEG)
    return int(leg.replace("-", ""), 16)
