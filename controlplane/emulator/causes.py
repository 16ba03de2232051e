"""Clearing causes as FreeSWITCH numbers them and as SIP shows them (switch_types.h; mod_sofia.c, sofia_glue.c)."""

from __future__ import annotations

# Q.850 numbers; FreeSWITCH's own causes (ORIGINATOR_CANCEL, LOSE_RACE…) are not in it and count as 16.
_Q850 = {
    "NONE": 0, "UNALLOCATED_NUMBER": 1, "NO_ROUTE_TRANSIT_NET": 2, "NO_ROUTE_DESTINATION": 3,
    "CHANNEL_UNACCEPTABLE": 6, "CALL_AWARDED_DELIVERED": 7, "NORMAL_CLEARING": 16, "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18, "NO_ANSWER": 19, "SUBSCRIBER_ABSENT": 20, "CALL_REJECTED": 21, "NUMBER_CHANGED": 22,
    "REDIRECTION_TO_NEW_DESTINATION": 23, "EXCHANGE_ROUTING_ERROR": 25, "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28, "FACILITY_REJECTED": 29, "RESPONSE_TO_STATUS_ENQUIRY": 30, "NORMAL_UNSPECIFIED": 31,
    "NORMAL_CIRCUIT_CONGESTION": 34, "NETWORK_OUT_OF_ORDER": 38, "NORMAL_TEMPORARY_FAILURE": 41,
    "SWITCH_CONGESTION": 42, "ACCESS_INFO_DISCARDED": 43, "REQUESTED_CHAN_UNAVAIL": 44, "PRE_EMPTED": 45,
    "FACILITY_NOT_SUBSCRIBED": 50, "OUTGOING_CALL_BARRED": 52, "INCOMING_CALL_BARRED": 54,
    "BEARERCAPABILITY_NOTAUTH": 57, "BEARERCAPABILITY_NOTAVAIL": 58, "SERVICE_UNAVAILABLE": 63,
    "BEARERCAPABILITY_NOTIMPL": 65, "CHAN_NOT_IMPLEMENTED": 66, "FACILITY_NOT_IMPLEMENTED": 69,
    "SERVICE_NOT_IMPLEMENTED": 79, "INVALID_CALL_REFERENCE": 81, "INCOMPATIBLE_DESTINATION": 88,
    "INVALID_MSG_UNSPECIFIED": 95, "MANDATORY_IE_MISSING": 96, "MESSAGE_TYPE_NONEXIST": 97, "WRONG_MESSAGE": 98,
    "IE_NONEXIST": 99, "INVALID_IE_CONTENTS": 100, "WRONG_CALL_STATE": 101, "RECOVERY_ON_TIMER_EXPIRE": 102,
    "MANDATORY_IE_LENGTH_ERROR": 103, "PROTOCOL_ERROR": 111, "INTERWORKING": 127,
}  # fmt: skip
_OWN = frozenset({
    "SUCCESS", "ORIGINATOR_CANCEL", "CRASH", "SYSTEM_SHUTDOWN", "LOSE_RACE", "MANAGER_REQUEST", "BLIND_TRANSFER",
    "ATTENDED_TRANSFER", "ALLOTTED_TIMEOUT", "USER_CHALLENGE", "MEDIA_TIMEOUT", "PICKED_OFF",
    "USER_NOT_REGISTERED", "PROGRESS_TIMEOUT", "INVALID_GATEWAY", "GATEWAY_DOWN", "INVALID_URL",
    "INVALID_PROFILE", "NO_PICKUP",
})  # fmt: skip

# sofia_glue.c:1817, sofia_glue_sip_cause_to_freeswitch.
_OF_SIP_STATUS = {
    401: "CALL_REJECTED", 402: "CALL_REJECTED", 403: "CALL_REJECTED", 404: "UNALLOCATED_NUMBER",
    407: "CALL_REJECTED", 408: "RECOVERY_ON_TIMER_EXPIRE", 410: "NUMBER_CHANGED", 480: "NO_USER_RESPONSE",
    484: "INVALID_NUMBER_FORMAT", 485: "NO_ROUTE_DESTINATION", 486: "USER_BUSY", 487: "ORIGINATOR_CANCEL",
    488: "INCOMPATIBLE_DESTINATION", 500: "NORMAL_TEMPORARY_FAILURE", 502: "NETWORK_OUT_OF_ORDER",
    503: "NORMAL_TEMPORARY_FAILURE", 504: "RECOVERY_ON_TIMER_EXPIRE", 600: "USER_BUSY", 603: "CALL_REJECTED",
    604: "NO_ROUTE_DESTINATION",
}  # fmt: skip

_PHRASES = {
    403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable", 486: "Busy Here",
    487: "CANCEL", 488: "Not Acceptable Here", 500: "Internal Server Error", 503: "Service Unavailable",
    600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip

# switch_ivr_originate.c:4066: what DIALSTATUS says where it is not the cause itself.
_DIALSTATUS = {
    "USER_BUSY": "BUSY", "CALL_REJECTED": "DONTCALL", "NO_ANSWER": "NOANSWER", "ORIGINATOR_CANCEL": "CANCEL",
    "DESTINATION_OUT_OF_ORDER": "INVALIDARGS", "INVALID_PROFILE": "INVALIDARGS",
}  # fmt: skip


def read_cause(text: str) -> str:
    """A cause by name or number, as FreeSWITCH reads it: NORMAL_CLEARING for what it does not know."""
    name = text.strip().upper()
    if name in _Q850 or name in _OWN:
        return name
    if name.isdigit():
        return next((cause for cause, number in _Q850.items() if number == int(name)), "NORMAL_CLEARING")
    return "NORMAL_CLEARING"


def q850_of(cause: str) -> int:
    """The number that `hangup_cause_q850` shows."""
    return _Q850.get(cause, 16)


def cause_of_status(sip_status: int) -> str:
    """The cause of a leg whose INVITE ended with this status."""
    return _OF_SIP_STATUS.get(sip_status, "NORMAL_UNSPECIFIED")


def phrase_of_status(sip_status: int) -> str:
    """The reason phrase that goes with a status."""
    return _PHRASES.get(sip_status, "Call Failed")


def dialstatus_of(cause: str) -> str:
    """What the variable DIALSTATUS says after a bridge."""
    return _DIALSTATUS.get(cause, cause)
