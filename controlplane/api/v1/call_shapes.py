"""Calls, legs and timelines as this API shows them.

`state` is Teler's word, `status` ours, which tells more: queued, ringing, in-progress, completed, busy, failed,
no-answer, canceled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from controlplane.api.v1.fields import iso, maybe_iso
from controlplane.base.causes import verdict_of
from controlplane.base.ids import public_leg_id
from controlplane.calls.timeline import Moment
from controlplane.services.calls import Call, Leg
from controlplane.services.whole_calls import WholeCall

State: TypeAlias = Literal["initiated", "ringing", "answered", "completed", "failed"]
Status: TypeAlias = Literal[
    "queued", "ringing", "in-progress", "completed", "busy", "failed", "no-answer", "canceled"
]  # fmt: skip
LegState: TypeAlias = Literal["created", "ringing", "answered", "completed", "failed"]
Way: TypeAlias = Literal["inbound", "outbound"]

_STATE_OF: dict[str, State] = {
    "queued": "initiated",
    "ringing": "ringing",
    "in-progress": "answered",
    "completed": "completed",
}


@dataclass(frozen=True, slots=True)
class LegShape:
    """A leg: one channel between us and one party."""

    id: Annotated[str, Field(examples=["cl_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    call_session_id: str
    direction: Way
    role: Annotated[str, Field(description="primary: the call's first leg; dial_target: dialled by a document.")]
    state: LegState
    from_number: str
    to_number: str
    parent_leg_id: str | None
    recordings: Annotated[list[str], Field(description="Ids of its recordings.")]
    created_at: str
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    reason: Annotated[str | None, Field(description="How it ended.", examples=["user_busy"])]
    ended_by: None
    sip_status: int | None
    sip_call_id: str | None


@dataclass(frozen=True, slots=True)
class CallShape:
    """A call."""

    id: Annotated[str, Field(examples=["cs_01HF7YAT00V1R6E8ZZ1AH3GX8N"])]
    account_id: str
    voice_app_id: str | None
    state: State
    status: Status
    direction: Way
    from_number: str
    to_number: str
    created_at: str
    ringing_at: str | None
    answered_at: str | None
    ended_at: str | None
    duration_seconds: Annotated[int | None, Field(description="From answer to end, once it has ended.")]
    result: Annotated[str | None, Field(description="How it ended: the last `status`.")]
    reason: Annotated[str | None, Field(description="Why it ended.", examples=["no_answer"])]
    sip_status: Annotated[int | None, Field(description="The final SIP status of the first leg, where there was one.")]
    properties: dict[str, Any] = field(default_factory=dict)
    legs: Annotated[list[LegShape] | None, Field(description="Only where one call is asked for.")] = None


@dataclass(frozen=True, slots=True)
class MomentShape:
    """One line of a timeline."""

    at: str
    seq: int
    actor: Literal["caller", "callee", "third party", "application", "platform", "api"]
    kind: str
    level: str
    text: str


@dataclass(frozen=True, slots=True)
class TimelineShape:
    """What happened in a call, oldest first."""

    call_id: str
    data: list[MomentShape]


def statuses_of(state: str) -> tuple[str, ...]:
    """The statuses that a state or a status stands for."""
    if state == "failed":
        return ("busy", "failed", "no-answer", "canceled")
    ours = tuple(status for status, theirs in _STATE_OF.items() if theirs == state)
    return ours or (state,)


def call_shape(call: Call, legs: list[LegShape] | None = None) -> CallShape:
    """A call as it is shown."""
    return CallShape(
        id=call.call_id,
        account_id=call.account_id,
        voice_app_id=call.app_id,
        state=_STATE_OF.get(call.status, "failed"),
        status=call.status,  # type: ignore[arg-type]  # the column holds no other words
        direction="inbound" if call.direction == "inbound" else "outbound",
        from_number=call.from_number,
        to_number=call.to_number,
        created_at=iso(call.created_at),
        ringing_at=maybe_iso(call.ringing_at),
        answered_at=maybe_iso(call.answered_at),
        ended_at=maybe_iso(call.ended_at),
        duration_seconds=_seconds(call),
        result=call.result,
        reason=_words(call.reason),
        sip_status=call.sip_status,
        legs=legs,
    )


def leg_shapes(whole: WholeCall) -> list[LegShape]:
    """A call's legs as they are shown, each with its recordings."""
    return [_leg_shape(whole.call, leg, whole.legs[0], whole.recordings.get(leg.leg, [])) for leg in whole.legs]


def moment_shape(moment: Moment) -> MomentShape:
    """A line of a timeline as it is shown."""
    at = iso(datetime.fromtimestamp(moment.at_ms / 1000, UTC))
    return MomentShape(at, moment.seq, moment.actor, moment.kind, moment.level, moment.text)  # type: ignore[arg-type]


def _leg_shape(call: Call, leg: Leg, a_leg: Leg, recordings: list[str]) -> LegShape:
    is_first = leg is a_leg
    return LegShape(
        id=public_leg_id(leg.leg),
        call_session_id=call.call_id,
        direction="inbound" if is_first and call.direction == "inbound" else "outbound",
        role=leg.role,
        state=_leg_state(leg),
        from_number=leg.from_number,
        to_number=leg.to_number,
        parent_leg_id=None if is_first else public_leg_id(a_leg.leg),
        recordings=recordings,
        created_at=iso(leg.created_at),
        ringing_at=maybe_iso(leg.ringing_at),
        answered_at=maybe_iso(leg.answered_at),
        ended_at=maybe_iso(leg.ended_at),
        reason=_words(call.reason if is_first else _reason(leg)),
        ended_by=None,
        sip_status=leg.sip_status,
        sip_call_id=leg.sip_call_id,
    )


def _leg_state(leg: Leg) -> LegState:
    if leg.ended_at is not None:
        return "completed" if leg.answered_at is not None else "failed"
    if leg.answered_at is not None:
        return "answered"
    return "ringing" if leg.ringing_at is not None else "created"


def _reason(leg: Leg) -> str | None:
    if leg.ended_at is None or leg.cause is None:
        return None
    return verdict_of(leg.cause, leg.sip_status, was_answered=leg.answered_at is not None).reason


def _seconds(call: Call) -> int | None:
    if call.answered_at is None or call.ended_at is None:
        return None
    return round((call.ended_at - call.answered_at).total_seconds())


def _words(reason: str | None) -> str | None:
    return None if reason is None else reason.replace("-", "_")
