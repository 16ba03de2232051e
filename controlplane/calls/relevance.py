"""Which events can change anything: repeated and late news is not worth an entry of the journal."""

from __future__ import annotations

from collections.abc import Collection

from controlplane.base.ids import LegId
from controlplane.calls.events import (
    BurstDone,
    BurstLooked,
    CallOffered,
    CallPlaced,
    DigitsAsked,
    DocumentArrived,
    DocumentFailed,
    Event,
    HangUpAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    Moved,
    MuteAsked,
    OriginateFailed,
    PlayAsked,
    Redirected,
)
from controlplane.calls.outstanding import Outstanding
from controlplane.calls.scene import CallState, LegState


def concerns(state: CallState, outstanding: Outstanding, requests: Collection[str], event: Event) -> bool:
    """Say whether a call under way has to know; `requests` are those of the API that were carried out."""
    match event:
        case CallOffered() | CallPlaced():
            return False
        case BurstDone(_, token) if outstanding.ends_its_leg(token):
            return False  # the end of the leg says it all
        case DocumentArrived(token) | DocumentFailed(token) | BurstDone(_, token) | BurstLooked(_, token):
            return token in outstanding
        case LegRinging(leg):
            return leg_is(state, leg, LegState.DIALLED)
        case LegAnswered(leg):
            return leg_is(state, leg, LegState.DIALLED, LegState.RINGING)
        case LegEnded(leg) | OriginateFailed(leg):
            return leg_is(state, leg, LegState.DIALLED, LegState.RINGING, LegState.ANSWERED)
        case Redirected() | HangUpAsked() | MuteAsked() | DigitsAsked() | PlayAsked():
            return event.request not in requests
        case LegsJoined(leg, other):
            known = state.legs.get(leg)
            return known is not None and known.joined_to != other
    return True


def waits_until_moved(state: CallState, event: Event) -> bool:
    """Say whether an event has to come after Moved, where the call is on another node than it knows.

    What scripts said of it before would be said again. By the answer of a leg that a Dial's own `bridge` dialled no
    script goes on, and at Moved the Dial has to know who was reached.
    """
    if not state.a_leg.is_alive:
        return False
    match event:
        case Moved() | LegsJoined() | LegRinging():
            return False
        case LegAnswered(leg):
            return leg in state.legs and state.legs[leg].is_ours_to_end
        case LegEnded(leg) | OriginateFailed(leg):
            return leg != state.facts.a_leg
        case _:
            return True


def leg_is(state: CallState, leg: LegId, *states: LegState) -> bool:
    """Say whether a leg of the call is in one of these states."""
    known = state.legs.get(leg)
    return known is not None and known.state in states
