"""Channel variables that we set: a fixed list with the shape of each one's value, and our own marks.

Marks are named `callplane_…` and hold tokens; no caller can set them (what an INVITE brings is named `sip_…`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from controlplane.esl.errors import UnsafeValue
from controlplane.esl.sounds import Cadence
from controlplane.esl.values import caller_number, channel_id, display_name, keys, number, token


class Variable(StrEnum):
    """By FreeSWITCH's names."""

    # of a leg while it is dialled
    ORIGINATION_UUID = "origination_uuid"
    CALLER_NUMBER = "origination_caller_id_number"
    CALLER_NAME = "origination_caller_id_name"
    ORIGINATE_TIMEOUT_S = "originate_timeout"
    LEG_TIMEOUT_S = "leg_timeout"
    IGNORE_EARLY_MEDIA = "ignore_early_media"
    CONTINUE_ON_TIMEOUT = "originate_continue_on_timeout"
    CALLER_ID_HEADER = "sip_cid_type"
    COPIES_HEADERS = "sip_copy_custom_headers"
    REDIRECT_IS_FATAL = "outbound_redirect_fatal"
    # of a leg that dials others
    EFFECTIVE_CALLER_NUMBER = "effective_caller_id_number"
    EFFECTIVE_CALLER_NAME = "effective_caller_id_name"
    CALL_TIMEOUT_S = "call_timeout"
    CONTINUE_ON_FAIL = "continue_on_fail"
    HANGUP_AFTER_BRIDGE = "hangup_after_bridge"
    TRANSFERS_LEFT = "max_session_transfers"
    PARK_AFTER_BRIDGE = "park_after_bridge"
    PARK_ON_CANCEL = "uuid_bridge_park_on_cancel"
    BRIDGE_TERMINATE_KEY = "bridge_terminate_key"
    RINGBACK = "ringback"
    TRANSFER_RINGBACK = "transfer_ringback"
    INSTANT_RINGBACK = "instant_ringback"
    # of what runs on a leg
    PLAYBACK_TERMINATORS = "playback_terminators"
    PLAYBACK_TERMINATOR_USED = "playback_terminator_used"
    ORIGINATE_DISPOSITION = "originate_disposition"
    READ_TERMINATOR_USED = "read_terminator_used"
    RECORD_STEREO = "RECORD_STEREO"
    RECORD_STEREO_SWAP = "RECORD_STEREO_SWAP"
    RECORD_READ_ONLY = "RECORD_READ_ONLY"
    RECORD_WRITE_ONLY = "RECORD_WRITE_ONLY"
    RECORD_ANSWER_REQ = "RECORD_ANSWER_REQ"
    RECORD_BRIDGE_REQ = "RECORD_BRIDGE_REQ"
    RECORD_MIN_S = "RECORD_MIN_SEC"
    RECORD_FILL_SILENCE = "record_fill_cng"
    SILENCE_WHEN_IDLE = "send_silence_when_idle"
    # columns of `show channels`
    PRESENCE_DATA = "presence_data"
    ACCOUNT = "accountcode"


def _one_of(*words: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in words:
            raise UnsafeValue("Not a value of this variable.")
        return value

    return check


def _seconds(value: str) -> str:
    return number(int(value) if re.match(r"[0-9]{1,6}\Z", value) else -1, least=0, most=86_400)


_flag = _one_of("true", "false")
_tone = _one_of(*(cadence.value for cadence in Cadence))

_CHECKS: dict[str, Callable[[str], str]] = {
    Variable.ORIGINATION_UUID: channel_id,
    Variable.CALLER_NUMBER: caller_number,
    Variable.CALLER_NAME: display_name,
    Variable.ORIGINATE_TIMEOUT_S: _seconds,
    Variable.LEG_TIMEOUT_S: _seconds,
    Variable.IGNORE_EARLY_MEDIA: _one_of("true", "false", "ring_ready", "consume"),
    Variable.CONTINUE_ON_TIMEOUT: _flag,
    Variable.CALLER_ID_HEADER: _one_of("none", "rpid", "pid"),
    Variable.COPIES_HEADERS: _flag,
    Variable.REDIRECT_IS_FATAL: _flag,
    Variable.EFFECTIVE_CALLER_NUMBER: caller_number,
    Variable.EFFECTIVE_CALLER_NAME: display_name,
    Variable.CALL_TIMEOUT_S: _seconds,
    Variable.CONTINUE_ON_FAIL: _flag,
    Variable.HANGUP_AFTER_BRIDGE: _flag,
    Variable.TRANSFERS_LEFT: _one_of("1000000000"),
    Variable.PARK_AFTER_BRIDGE: _flag,
    Variable.PARK_ON_CANCEL: _flag,
    Variable.BRIDGE_TERMINATE_KEY: keys,
    Variable.RINGBACK: _tone,
    Variable.TRANSFER_RINGBACK: _tone,
    Variable.INSTANT_RINGBACK: _flag,
    Variable.PLAYBACK_TERMINATORS: lambda value: value if value in ("none", "any") else keys(value),
    Variable.PLAYBACK_TERMINATOR_USED: _one_of(),
    Variable.ORIGINATE_DISPOSITION: _one_of(),
    Variable.READ_TERMINATOR_USED: _one_of(),
    Variable.RECORD_STEREO: _flag,
    Variable.RECORD_STEREO_SWAP: _flag,
    Variable.RECORD_READ_ONLY: _flag,
    Variable.RECORD_WRITE_ONLY: _flag,
    Variable.RECORD_ANSWER_REQ: _flag,
    Variable.RECORD_BRIDGE_REQ: _flag,
    Variable.RECORD_MIN_S: _seconds,
    Variable.RECORD_FILL_SILENCE: _flag,
    Variable.SILENCE_WHEN_IDLE: _one_of("-1"),
    Variable.PRESENCE_DATA: token,
    Variable.ACCOUNT: token,
}
_MARK = re.compile(r"callplane_[a-z0-9_]{1,32}\Z")


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable and its value, checked by the variable's shape; an empty value unsets. Raises UnsafeValue."""

    name: str
    value: str

    def __post_init__(self) -> None:
        check = token if _MARK.match(self.name) else _CHECKS.get(self.name)
        if check is None:
            raise UnsafeValue("Not a variable that may be set.")
        if self.value:
            check(self.value)

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


def mark(name: str, value: str) -> Setting:
    """Our own variable `callplane_<name>`, which holds a token."""
    return Setting(f"callplane_{name}", value)


def joined(settings: Iterable[Setting], most: int) -> str:
    """Settings as `multiset` and `uuid_setvar_multi` take them, cut at a character that no value has."""
    lines = [str(setting) for setting in settings]
    if not 1 <= len(lines) <= most:
        raise UnsafeValue("Too many variables at once, or none.", most=most)
    return "^^|" + "|".join(lines)


def variable_name(name: str) -> str:
    """The name of a variable that may be asked for: one of ours or of FreeSWITCH's own, letters and `_`."""
    if not re.match(r"[A-Za-z][A-Za-z0-9_]{0,63}\Z", name):
        raise UnsafeValue("Not the name of a variable.")
    return name
