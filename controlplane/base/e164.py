"""Phone numbers in E.164: a plus sign and 7 to 15 digits."""

from __future__ import annotations

import re
from typing import NewType

import phonenumbers

from controlplane.base.errors import InvalidNumber

E164 = NewType("E164", str)

_SHAPE = re.compile(r"\+[1-9]\d{6,14}\Z", re.ASCII)


def parse_e164(text: str) -> E164:
    """Read a number that must already be in E.164; raises InvalidNumber.

    Only the shape and the country code are checked: numbers that no plan knows (tests, new ranges) are still dialled.
    """
    if not _SHAPE.match(text):
        raise InvalidNumber(None)
    return E164(text)


def normalise(text: str, region: str | None) -> E164:
    """Turn a number as people write it (spaces, brackets, national in `region`) into E.164; raises InvalidNumber."""
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidNumber(None) from error
    return parse_e164(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def region_of(text: str) -> str:
    """The country of an E.164 number as two letters, or "" if that cannot be told."""
    if not _SHAPE.match(text):
        return ""
    return phonenumbers.region_code_for_number(phonenumbers.parse(text)) or ""
