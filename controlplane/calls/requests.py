"""What the API asks of a live call, carried out at once whatever runs. (A new document is the script's business.)"""

from __future__ import annotations

from typing import TypeAlias

from controlplane.base.causes import Cause
from controlplane.calls.commands import Acknowledge, End, Mute, PlayOver, SendDigitsNow
from controlplane.calls.events import DigitsAsked, HangUpAsked, MuteAsked, PlayAsked
from controlplane.calls.scene import CallState

Asked: TypeAlias = HangUpAsked | MuteAsked | DigitsAsked | PlayAsked


def carry_out(state: CallState, event: Asked) -> None:
    """Do it, or say why it cannot be done."""
    leg = state.legs.get(event.leg or state.facts.a_leg)
    if leg is None or not leg.is_alive:
        state.emit(Acknowledge(event.request, "leg_not_found" if leg is None else "call_not_live"))
        return
    match event:
        case HangUpAsked():
            leg.ended_by_us = Cause.MANAGER_REQUEST
            state.emit(End(leg.id, Cause.NORMAL_CLEARING if leg.is_answered else Cause.MANAGER_REQUEST))
        case MuteAsked(is_on=is_on):
            state.emit(Mute(leg.id, is_on))
        case DigitsAsked(digits=digits, duration_ms=duration_ms):
            state.emit(SendDigitsNow(leg.id, digits, duration_ms))
        case PlayAsked(url=url, loop=loop, stops_on_digit=stops):
            state.emit(PlayOver(leg.id, state.token(), url, loop, stops))
    state.emit(Acknowledge(event.request))
