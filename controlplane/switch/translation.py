"""ESL events into the machine's words. One row an event name; what no row reads is not subscribed either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from controlplane.base.ids import LegId, Token, call_of_token, is_channel_uuid
from controlplane.calls.events import (
    BurstDone,
    BurstLooked,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Outcome,
)
from controlplane.esl.commands import EslEventName
from controlplane.esl.frames import EslEvent

SUBSCRIBED = (
    EslEventName.CHANNEL_PARK,
    EslEventName.CHANNEL_PROGRESS,
    EslEventName.CHANNEL_PROGRESS_MEDIA,
    EslEventName.CHANNEL_ANSWER,
    EslEventName.CHANNEL_EXECUTE_COMPLETE,
    EslEventName.CHANNEL_BRIDGE,
    EslEventName.CHANNEL_UNBRIDGE,
    EslEventName.CHANNEL_HANGUP_COMPLETE,
    EslEventName.DTMF,
)
LOOK = "look-"  # begins the token of a LookAt's probe
MAX_TEXT = 256  # of what a caller says of itself; longer is cut


@dataclass(frozen=True, slots=True)
class Offered:
    """A leg is parked that came in by the door. All texts are the caller's: untrusted, control characters gone.

    One that `is_recovered` came in on a node that died; it is some call's, and nobody's to take as a new one.
    """

    leg: LegId
    caller_number: str
    caller_name: str
    dialled_number: str
    sip_headers: tuple[tuple[str, str], ...]
    is_recovered: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """A LookAt's probe is through: what the channel said."""

    leg: LegId
    event: BurstLooked


@dataclass(frozen=True, slots=True)
class Parked:
    """A leg is parked that did not come in by the door: one that we dialled, or any that went back to park."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Pressed:
    """The party of a leg pressed a key, which one is nobody's business here."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class Happened:
    """Something for the call that this leg belongs to."""

    leg: LegId
    event: Event


News: TypeAlias = Offered | Parked | Looked | Pressed | Happened


def translate(event: EslEvent) -> News | None:
    """Say what an event means to a call; None where it means nothing.

    Only values that FreeSWITCH itself makes are trusted for identity: Unique-ID, Application-UUID, Bridge-*-Unique-ID.
    """
    row = _ROWS.get(event.name)
    leg = event.get("Unique-ID")
    if row is None or leg is None or not is_channel_uuid(leg):
        return None
    return row(event, LegId(leg))


def outcome_of(get: Callable[[str], str | None]) -> Outcome:
    """Read from a channel's variables (`get` takes a variable's name) what its last burst came to."""
    record_ms = get("record_ms")
    return Outcome(
        response=get("current_application_response") or "",
        digits=get("callplane_digits") or "",
        terminator=get("read_terminator_used") or "",
        record_ms=int(record_ms) if record_ms and record_ms.isdecimal() else None,
        record_terminator=get("playback_terminator_used") or "",
        dial_result=get("originate_disposition") or "",
        joined_leg=get("last_bridge_to") or "",
    )


def printable(text: str | None) -> str:
    """A caller's text as it may be shown: no control characters, not longer than MAX_TEXT."""
    return "".join(letter for letter in (text or "")[:MAX_TEXT] if letter.isprintable())


def _parked(event: EslEvent, leg: LegId) -> News | None:
    if not event.variable("callplane_door"):
        return Parked(leg)
    return Offered(
        leg,
        printable(event.get("Caller-Caller-ID-Number")),
        printable(event.get("Caller-Caller-ID-Name")),
        printable(event.get("Caller-Destination-Number")),
        tuple(_sip_headers(event)),
        is_recovered=event.variable("recovered") == "true",
    )


def _sip_headers(event: EslEvent) -> list[tuple[str, str]]:
    prefix = "variable_sip_h_X-"
    found = event.headers.beginning(prefix)[:16]
    return [(printable(name[len("variable_sip_h_") :]), printable(value)) for name, value in found]


def _progressed(_event: EslEvent, leg: LegId) -> News:
    return Happened(leg, LegRinging(leg))


def _progressed_with_media(_event: EslEvent, leg: LegId) -> News:
    return Happened(leg, LegRinging(leg, early_media=True))


def _answered(_event: EslEvent, leg: LegId) -> News:
    return Happened(leg, LegAnswered(leg))


def _executed(event: EslEvent, leg: LegId) -> News | None:
    """What a party broke off by hanging up has not been carried out: the end of the leg says that, a moment later."""
    if event.get("Answer-State") == "hangup":
        return None
    token = event.get("Application-UUID") or ""
    if token.startswith(LOOK):
        last_sent = event.variable("callplane_sent") or ""
        return Looked(leg, BurstLooked(leg, Token(token[len(LOOK) :]), last_sent, outcome_of(event.variable)))
    if call_of_token(token) is None:
        return None
    return Happened(leg, BurstDone(leg, Token(token), outcome_of(event.variable)))


def _bridged(event: EslEvent, leg: LegId) -> News | None:
    a_leg, b_leg = event.get("Bridge-A-Unique-ID"), event.get("Bridge-B-Unique-ID")
    if a_leg is None or b_leg is None:
        return None
    return Happened(leg, LegsJoined(LegId(a_leg), LegId(b_leg)))


def _unbridged(event: EslEvent, leg: LegId) -> News | None:
    a_leg, b_leg = event.get("Bridge-A-Unique-ID"), event.get("Bridge-B-Unique-ID")
    if a_leg is None or b_leg is None:
        return None
    return Happened(leg, LegsParted(LegId(a_leg), LegId(b_leg)))


def _hung_up(event: EslEvent, leg: LegId) -> News:
    status = event.variable("sip_term_status") or event.variable("sip_invite_failure_status") or ""
    if event.variable("endpoint_disposition") == "ANSWER":
        status = ""  # the failure status on an answered A-leg is that of a leg it dialled
    return Happened(
        leg,
        LegEnded(
            leg,
            event.get("Hangup-Cause") or "NORMAL_UNSPECIFIED",
            int(status) if status.isdecimal() and len(status) == 3 else None,
            printable(event.variable("sip_call_id")),
            _talked_ms(event),
        ),
    )


def _talked_ms(event: EslEvent) -> int | None:
    """From answer to end by the node's clock; 0 for a leg that was not answered, None if it does not say."""
    answered_us, ended_us = (event.get(f"Caller-Channel-{what}-Time") or "" for what in ("Answered", "Hangup"))
    if not (answered_us.isdecimal() and ended_us.isdecimal() and int(ended_us)):
        return None
    return max(0, int(ended_us) - int(answered_us)) // 1000 if int(answered_us) else 0


_ROWS: dict[str, Callable[[EslEvent, LegId], News | None]] = {
    EslEventName.CHANNEL_PARK: _parked,
    EslEventName.CHANNEL_PROGRESS: _progressed,
    EslEventName.CHANNEL_PROGRESS_MEDIA: _progressed_with_media,
    EslEventName.CHANNEL_ANSWER: _answered,
    EslEventName.CHANNEL_EXECUTE_COMPLETE: _executed,
    EslEventName.CHANNEL_BRIDGE: _bridged,
    EslEventName.CHANNEL_UNBRIDGE: _unbridged,
    EslEventName.CHANNEL_HANGUP_COMPLETE: _hung_up,
    EslEventName.DTMF: lambda _event, leg: Pressed(leg),
}
