"""Values that may stand in a command to a media node: each is checked when it is made, and raises UnsafeValue.

FreeSWITCH cuts arguments at blanks, commas, pipes, semicolons and quotes, more than once and by other rules each time;
`${…}` in an argument runs any command, and no quoting helps against that. So nothing is quoted here that could need
it: what is not on the list of its kind is refused. Messages name the kind of value and never repeat the value, which
may be a password or a caller's name.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import NewType

from controlplane.base.e164 import parse_e164
from controlplane.base.errors import InvalidNumber
from controlplane.base.ids import is_channel_uuid
from controlplane.esl.errors import UnsafeValue

ChannelId = NewType("ChannelId", str)
DisplayName = NewType("DisplayName", str)
CallerNumber = NewType("CallerNumber", str)

_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,128}\Z")
_CALLER = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_DIGITS = re.compile(r"[0-9A-Da-d*#wW]{1,80}\Z")
_KEYS = re.compile(r"[0-9A-D*#]{0,16}\Z")
_NODE_FILE = re.compile(r"(/\.?[A-Za-z0-9_-][A-Za-z0-9._-]*)+\.(wav|PCMU|PCMA)\Z")
# `@`, `:` and `/` cut a display name on the way into a From header, `%` is decoded there (seen on 1.10.12).
_NAME_MARKS = frozenset(" .-_()&+#*!?=")
_NAME_LENGTH = 64


def channel_id(leg: str) -> ChannelId:
    """A channel UUID, for an argument."""
    if not is_channel_uuid(leg):
        raise UnsafeValue("Not a channel UUID.")
    return ChannelId(leg)


def token(text: str) -> str:
    """A name of ours: letters, digits, `_`, `.`, `-`; 1 to 128 of them.

    FreeSWITCH answers `bgapi` from a buffer of 512 bytes that holds the job's name twice.
    """
    if not _TOKEN.match(text):
        raise UnsafeValue("Not a token.")
    return text


def digits(text: str) -> str:
    """Keys to send: 0-9 A-D * #, w half a second, W a second; 1 to 80, as FreeSWITCH drops strings of 100 and more."""
    if not _DIGITS.match(text):
        raise UnsafeValue("Not digits that can be sent.")
    return text


def keys(text: str) -> str:
    """Keys to listen for, each once or more; may be empty."""
    if not _KEYS.match(text):
        raise UnsafeValue("Not keys of a phone.")
    return text


def number(value: int, *, least: int, most: int) -> str:
    """A whole number within bounds, in digits."""
    if isinstance(value, bool) or not least <= value <= most:
        raise UnsafeValue("A number is out of its bounds.", least=least, most=most)
    return str(int(value))


def caller_number(text: str) -> CallerNumber:
    """Who calls, as shown to the callee: E.164, or a name such as `anonymous` or a SIP user."""
    try:
        return CallerNumber(parse_e164(text))
    except InvalidNumber:
        if _CALLER.match(text):
            return CallerNumber(text)
    raise UnsafeValue("Not a caller number.")


def tame_number(text: str) -> CallerNumber:
    """The number of a caller, who may have given any: `anonymous` where it is not one that can be shown."""
    try:
        return caller_number(text)
    except UnsafeValue:
        return CallerNumber("anonymous")


def display_name(text: str) -> DisplayName:
    """A name that a tenant chose to show: refused if it is not safe. May be empty."""
    if text != text.strip() or len(text) > _NAME_LENGTH or not all(map(_is_of_a_name, text)):
        raise UnsafeValue("Not a name that can be shown.")
    return DisplayName(text)


def tame_name(text: str) -> DisplayName:
    """A name that a caller chose: what is not safe in it is dropped, which may leave nothing."""
    kept = "".join(letter if _is_of_a_name(letter) else " " for letter in text)
    return display_name(" ".join(kept.split())[:_NAME_LENGTH].rstrip())


def _is_of_a_name(letter: str) -> bool:
    return letter in _NAME_MARKS or unicodedata.category(letter)[0] in "LMN"


@dataclass(frozen=True, slots=True)
class NodeFile:
    """A sound file of ours on a media node: absolute path, plain characters, an extension that FreeSWITCH knows."""

    path: str

    def __post_init__(self) -> None:
        if len(self.path) > 255 or ".." in self.path or not _NODE_FILE.match(self.path):
            raise UnsafeValue("Not a file of ours.")


_HEADER_NAME = re.compile(
    r"(X-[A-Za-z0-9-]{1,60}|User-to-User|Remote-Party-ID|P-Preferred-Identity|P-Called-Party-ID)\Z"
)
_HEADER_MARK = r"[A-Za-z0-9._~:/@+=;*()!%#?&-]"
_HEADER_VALUE = re.compile(rf"{_HEADER_MARK}(?:(?:{_HEADER_MARK}| ){{0,254}}{_HEADER_MARK})?\Z")


@dataclass(frozen=True, slots=True)
class SipHeader:
    """A header to put into an INVITE. Values are plain ASCII; what a dial string gives meaning to is refused."""

    name: str
    value: str

    def __post_init__(self) -> None:
        if not _HEADER_NAME.match(self.name):
            raise UnsafeValue("Not a header that may be set.")
        if not _HEADER_VALUE.match(self.value) or ":_:" in self.value:
            raise UnsafeValue("The value of a header is not safe.", header=self.name)


_USERNAME = re.compile(r"[A-Za-z0-9._~@+=*!#?&-]{1,128}\Z")
_PASSWORD = re.compile(r"[A-Za-z0-9._~/@+=;*()!#?&-]{1,128}\Z")


@dataclass(frozen=True, slots=True)
class SipLogin:
    """What answers a callee that asks for a password."""

    username: str
    password: str

    def __post_init__(self) -> None:
        if not _USERNAME.match(self.username) or not _PASSWORD.match(self.password):
            raise UnsafeValue("A SIP user name or password has characters that cannot be sent.")

    def __repr__(self) -> str:
        return "SipLogin(…)"
