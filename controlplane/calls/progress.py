"""What happens to legs, kept and told: status callbacks in the application's dialect, events of the account's log."""

from __future__ import annotations

from controlplane.base.causes import Cause, Result, Verdict, verdict_of
from controlplane.base.ids import public_leg_id
from controlplane.calls import parameters
from controlplane.calls.commands import CallBack, Publish
from controlplane.calls.events import LegAnswered, LegEnded, LegRinging, LegsJoined, LegsParted
from controlplane.calls.facts import Direction
from controlplane.calls.scene import CallState, Leg, LegState
from controlplane.verbs.documents import StatusEvent

LATE_MS = 250  # news may take so long without being late: links, a commit, a loaded machine


def status_of(state: CallState, leg: Leg) -> str:
    """The status of a leg as applications and the API know it."""
    if not leg.is_alive:
        return verdict_on(state, leg).result.value
    if leg.is_answered:
        return "in-progress"
    if leg.state is LegState.RINGING or leg.direction is Direction.INBOUND:
        return "ringing"
    return "queued"


def verdict_on(state: CallState, leg: Leg) -> Verdict:
    """How a leg ended. What we ended ourselves is not guessed from the cause that came back."""
    if leg.id == state.facts.a_leg and state.is_rejected:
        busy = leg.cause == Cause.USER_BUSY
        return Verdict(Result.BUSY if busy else Result.NO_ANSWER, "rejected-by-application")
    cause = leg.ended_by_us if leg.ended_by_us is not None and not leg.is_answered else leg.cause
    return verdict_of(cause, leg.sip_status, was_answered=leg.is_answered)


def follow(state: CallState, event: LegRinging | LegAnswered | LegsJoined | LegsParted) -> None:
    """Something became of a leg that lives on."""
    leg = state.legs.get(event.leg)
    if leg is None:
        return
    match event:
        case LegRinging():
            ringing(state, leg)
        case LegAnswered(ago_ms=ago_ms):
            answered(state, leg, ago_ms)
        case LegsJoined(other=other):
            _joined(state, leg, state.legs.get(other))
        case LegsParted(other=other):
            for one in (leg, state.legs.get(other)):
                if one is not None:
                    one.was_joined = True  # also where nobody listened then
                    one.joined_to = None


def _joined(state: CallState, leg: Leg, other: Leg | None) -> None:
    for one, two in ((leg, other), (other, leg)):
        if one is None:
            continue
        answered(state, one)
        one.was_joined = True
        one.joined_to = two.id if two is not None else None


def dialled(state: CallState, leg: Leg) -> None:
    """A leg begins."""
    state.legs[leg.id] = leg
    _tell(state, leg, StatusEvent.INITIATED, "initiated")


def ringing(state: CallState, leg: Leg) -> None:
    """A leg rings. Later news of the same does not count."""
    if leg.state is not LegState.DIALLED:
        return
    leg.state, leg.ringing_ms = LegState.RINGING, state.now_ms
    _tell(state, leg, StatusEvent.RINGING, "ringing")


def answered(state: CallState, leg: Leg, ago_ms: int = 0) -> None:
    """A leg was answered, so long ago. News of what is known, or of a leg that is gone, does not count."""
    if leg.is_answered or not leg.is_alive:
        return
    leg.state, leg.answered_ms = LegState.ANSWERED, state.now_ms - ago_ms
    _tell(state, leg, StatusEvent.ANSWERED, "answered", was_at_ms=leg.answered_ms if ago_ms else 0)


def ended(state: CallState, leg: Leg, event: LegEnded) -> None:
    """A leg is gone.

    How long it talked is what the node says where that differs: news of its answer or of its end may have come late.
    """
    if event.talked_ms and not leg.is_answered:
        answered(state, leg, event.talked_ms)
    leg.state, leg.ended_ms = LegState.ENDED, state.now_ms
    if leg.answered_ms is not None and event.talked_ms is not None:
        ended_ms = leg.answered_ms + event.talked_ms
        leg.ended_ms = ended_ms if abs(ended_ms - state.now_ms) > LATE_MS else state.now_ms
    leg.cause, leg.sip_status, leg.sip_call_id = event.cause, event.sip_status, event.sip_call_id
    verdict = verdict_on(state, leg)
    kind = "completed" if verdict.result == Result.COMPLETED else "failed"
    _tell(state, leg, StatusEvent.COMPLETED, kind, verdict, was_at_ms=ended_late_ms(state, leg))


def ended_late_ms(state: CallState, leg: Leg) -> int:
    """When a leg ended, if that was not just now; else 0."""
    return leg.ended_ms if leg.ended_ms is not None and leg.ended_ms != state.now_ms else 0


def _tell(
    state: CallState,
    leg: Leg,
    event: StatusEvent,
    kind: str,
    verdict: Verdict | None = None,
    *,
    was_at_ms: int = 0,
) -> None:
    whose = "call" if leg.id == state.facts.a_leg else "leg"
    data: tuple[tuple[str, str | int | None], ...] = (
        ("status", status_of(state, leg)),
        ("from", leg.from_number),
        ("to", leg.to_number),
        ("direction", leg.direction.value),
    )
    if verdict is not None:
        data += (
            ("result", verdict.result.value),
            ("reason", verdict.reason.replace("-", "_")),
            ("duration_seconds", leg.talked_s(state.now_ms)),
        )
    if whose == "leg":
        data += (("leg_id", public_leg_id(leg.id)),)
    state.emit(Publish(state.token(), f"{whose}.{kind}", data, leg.id if whose == "leg" else None, was_at_ms))
    _call_back(state, leg, event, verdict)


def _call_back(state: CallState, leg: Leg, event: StatusEvent, verdict: Verdict | None) -> None:
    callback = leg.status_callback
    if callback is None or event not in callback.events:
        return
    status = "initiated" if event is StatusEvent.INITIATED else status_of(state, leg)
    told = parameters.progress(state, leg, event, status, verdict)
    leg.callbacks_sent += 1
    state.emit(CallBack(state.token(), callback.link, told))
