"""Why a leg ended: clearing causes, and the verdict people read.

Cause numbers are ITU-T Q.850, those from 487 up are FreeSWITCH's own (switch_types.h, switch_call_cause_t).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Clearing causes by FreeSWITCH's names: those we send, and those we tell apart when they come."""

    NORMAL_CLEARING = "NORMAL_CLEARING"
    USER_BUSY = "USER_BUSY"
    NO_USER_RESPONSE = "NO_USER_RESPONSE"
    NO_ANSWER = "NO_ANSWER"
    SUBSCRIBER_ABSENT = "SUBSCRIBER_ABSENT"
    CALL_REJECTED = "CALL_REJECTED"
    UNALLOCATED_NUMBER = "UNALLOCATED_NUMBER"
    NO_ROUTE_DESTINATION = "NO_ROUTE_DESTINATION"
    DESTINATION_OUT_OF_ORDER = "DESTINATION_OUT_OF_ORDER"
    INVALID_NUMBER_FORMAT = "INVALID_NUMBER_FORMAT"
    NORMAL_UNSPECIFIED = "NORMAL_UNSPECIFIED"
    NORMAL_CIRCUIT_CONGESTION = "NORMAL_CIRCUIT_CONGESTION"
    NETWORK_OUT_OF_ORDER = "NETWORK_OUT_OF_ORDER"
    NORMAL_TEMPORARY_FAILURE = "NORMAL_TEMPORARY_FAILURE"
    SWITCH_CONGESTION = "SWITCH_CONGESTION"
    RECOVERY_ON_TIMER_EXPIRE = "RECOVERY_ON_TIMER_EXPIRE"
    INTERWORKING = "INTERWORKING"
    ORIGINATOR_CANCEL = "ORIGINATOR_CANCEL"
    LOSE_RACE = "LOSE_RACE"
    MANAGER_REQUEST = "MANAGER_REQUEST"
    ALLOTTED_TIMEOUT = "ALLOTTED_TIMEOUT"
    PROGRESS_TIMEOUT = "PROGRESS_TIMEOUT"
    INVALID_GATEWAY = "INVALID_GATEWAY"
    PICKED_OFF = "PICKED_OFF"
    LOST = "LOST"  # ours: the leg was gone when someone came to look, and nobody saw how
    NODE_LOST = "NODE_LOST"  # ours: its media node died, and it did not come up on another
    NODE_GONE = "NODE_GONE"  # ours: no call server has been told of its media node for long
    JOURNAL_UNREADABLE = "JOURNAL_UNREADABLE"  # ours: nobody could go on with the call


class Result(StrEnum):
    """How a leg or call ended, in the words of the API."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who or what ended a leg: `result` from a fixed set, `reason` a word fit for a metric label."""

    result: Result
    reason: str


_BY_CAUSE = {
    Cause.NORMAL_CLEARING: Verdict(Result.NO_ANSWER, "not-answered"),
    Cause.USER_BUSY: Verdict(Result.BUSY, "user-busy"),
    Cause.NO_ANSWER: Verdict(Result.NO_ANSWER, "no-answer"),
    Cause.NO_USER_RESPONSE: Verdict(Result.NO_ANSWER, "no-user-response"),
    Cause.PROGRESS_TIMEOUT: Verdict(Result.NO_ANSWER, "progress-timeout"),
    Cause.ALLOTTED_TIMEOUT: Verdict(Result.NO_ANSWER, "ring-timeout"),
    Cause.CALL_REJECTED: Verdict(Result.BUSY, "rejected"),
    Cause.SUBSCRIBER_ABSENT: Verdict(Result.FAILED, "not-registered"),
    Cause.UNALLOCATED_NUMBER: Verdict(Result.FAILED, "unallocated-number"),
    Cause.NO_ROUTE_DESTINATION: Verdict(Result.FAILED, "no-route"),
    Cause.INVALID_NUMBER_FORMAT: Verdict(Result.FAILED, "invalid-number"),
    Cause.INVALID_GATEWAY: Verdict(Result.FAILED, "invalid-gateway"),
    Cause.ORIGINATOR_CANCEL: Verdict(Result.CANCELED, "caller-canceled"),
    Cause.LOSE_RACE: Verdict(Result.CANCELED, "answered-elsewhere"),
    Cause.PICKED_OFF: Verdict(Result.CANCELED, "answered-elsewhere"),
    Cause.MANAGER_REQUEST: Verdict(Result.CANCELED, "canceled"),
    Cause.RECOVERY_ON_TIMER_EXPIRE: Verdict(Result.FAILED, "nobody-answered-for-the-call"),
    Cause.LOST: Verdict(Result.FAILED, "lost"),
    Cause.NODE_LOST: Verdict(Result.FAILED, "node-lost"),
    Cause.NODE_GONE: Verdict(Result.FAILED, "node-gone"),
    Cause.JOURNAL_UNREADABLE: Verdict(Result.FAILED, "journal-unreadable"),
}

_BY_SIP_STATUS = {
    486: Verdict(Result.BUSY, "user-busy"),
    600: Verdict(Result.BUSY, "user-busy"),
    603: Verdict(Result.BUSY, "declined"),
    408: Verdict(Result.NO_ANSWER, "request-timeout"),
    480: Verdict(Result.NO_ANSWER, "temporarily-unavailable"),
    487: Verdict(Result.NO_ANSWER, "ring-timeout"),
}


def verdict_of(cause: str, sip_status: int | None, *, was_answered: bool) -> Verdict:
    """Say how a leg ended.

    `cause` is FreeSWITCH's name; `sip_status` the final status of the INVITE, or None. A final status wins over the
    cause, as carriers translate causes loosely (RFC 3398 §8.2.6.1), except where we ended the ringing ourselves.
    An answered leg is completed however it ended. Unknown causes answer `failed` with the cause as the reason.
    """
    if was_answered:
        return Verdict(Result.COMPLETED, cause.lower().replace("_", "-"))
    known = _BY_CAUSE.get(Cause(cause)) if cause in Cause.__members__ else None
    if known is not None and known.result is Result.CANCELED:
        return known
    if sip_status in _BY_SIP_STATUS and not (sip_status == 487 and known is not None):
        return _BY_SIP_STATUS[sip_status]
    return known or Verdict(Result.FAILED, cause.lower().replace("_", "-"))
