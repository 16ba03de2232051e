"""Phone numbers to dial, as people write them.

Blanks, hyphens, dots and brackets are dropped: "+1 (555) 000-1111". A number must say its country: without the plus
sign, 11 to 15 digits that begin with 1 to 9 are taken for one whose plus was forgotten, with a warning, because
applications do send those. Shorter ones are refused: prefixing "5550001111" would dial Brazil, and guessing a country
would dial somebody else's telephone.
"""

from __future__ import annotations

import re

from controlplane.base.e164 import E164, parse_e164
from controlplane.base.errors import InvalidNumber
from controlplane.verbs.kinds import Unfit, shown

_WRITTEN = str.maketrans("", "", " \t\r\n\u00a0-.()")
_PLUS_FORGOTTEN = re.compile(r"[1-9][0-9]{10,14}\Z")
_CALLER = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")


def parse_number(text: str) -> tuple[E164, str]:
    """Read a number to dial and say what was odd about it ("" for nothing); raises Unfit."""
    plain = text.translate(_WRITTEN)
    if _PLUS_FORGOTTEN.match(plain):
        return E164(f"+{plain}"), f"has no plus sign: taken for +{plain}; write numbers in E.164"
    try:
        return parse_e164(plain), ""
    except InvalidNumber:
        raise Unfit(f"must be a number in E.164, such as +15550001111, not {shown(text.strip())}") from None


def parse_caller(text: str) -> str:
    """Read what a callee is shown: E.164, a name for SIP (letters, digits, `-_.`), or `client:name`; raises Unfit.

    Of a `client:name` the name is what can be shown.
    """
    caller = text.strip().removeprefix("client:")
    if caller[:1] in ("+", "("):
        return parse_number(caller)[0]
    if not _CALLER.match(caller):
        raise Unfit(f"must be a number in E.164 or at most 64 letters, digits, - _ and ., not {shown(text.strip())}")
    return caller
