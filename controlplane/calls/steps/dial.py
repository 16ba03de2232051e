"""Dial: call targets, join the first that answers with the leg.

FreeSWITCH dials, lets it ring and joins by itself (`bridge`), so that none of it needs us alive. Only where a target is
to be screened first does each branch run under our own hand (steps/screening.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from controlplane.base import ids
from controlplane.base.causes import Cause, Result, verdict_of
from controlplane.calls import parameters, progress
from controlplane.calls.commands import CallBack, End, Interrupt, KeepRecording
from controlplane.calls.events import Outcome
from controlplane.calls.facts import Direction
from controlplane.calls.parameters import Parameters
from controlplane.calls.plans import Ask, Plan, Replaced
from controlplane.calls.runs import Branch, Bridge, StartRecording, StopRecording
from controlplane.calls.scene import HungUp, Leg, NodeLost, Scene, Script
from controlplane.calls.steps.record import recording_url
from controlplane.calls.steps.screening import dial_screened, talk
from controlplane.verbs.documents import Dial, DialRecord, Link, Number, Sip, StatusCallback, Target

FROM_RINGING = (DialRecord.FROM_RINGING, DialRecord.FROM_RINGING_DUAL)
DUAL = (DialRecord.FROM_ANSWER_DUAL, DialRecord.FROM_RINGING_DUAL)


@dataclass(slots=True)
class Dialling:
    """One Dial under way: its branches, and the recording it may make."""

    verb: Dial
    legs: tuple[Leg, ...]
    recording: StartRecording | None
    dial_result: str = ""

    @property
    def winner(self) -> Leg | None:
        return next((leg for leg in self.legs if leg.was_joined), None)

    @property
    def branches(self) -> tuple[Branch, ...]:
        return tuple(Branch(leg.id, target) for leg, target in zip(self.legs, self.verb.targets, strict=True))


def dial(scene: Scene, verb: Dial, *, screen: Callable[[Scene, Link], Script[bool]]) -> Script[Plan | None]:
    """Dial, then ask the action; without one, the next verb's turn."""
    if not scene.may_dial:
        scene.note("error", 13201, "a document that screens a dialled leg cannot dial", "Dial")
        return None
    if scene.leg.is_answered or scene.queued or not verb.answer_on_bridge:
        scene.answer()
    dialling = _begin(scene, verb)
    try:
        if any(target.screening for target in verb.targets):
            yield from dial_screened(scene, dialling.branches, verb, screen, dialling.recording)
        else:
            yield from _dial_here(scene, dialling)
    except HungUp:
        if any(leg.is_alive or leg.cause == Cause.ORIGINATOR_CANCEL for leg in dialling.legs):
            dialling.dial_result = Cause.ORIGINATOR_CANCEL
        _close(scene, dialling)
        _tell_ended_call(scene, dialling)
        raise
    except Replaced:
        _end_branches(scene, dialling.legs)
        _close(scene, dialling)
        raise
    _close(scene, dialling)
    return Ask(scene.link(verb.action) or verb.action, _told(scene, dialling)) if verb.action else None


def _dial_here(scene: Scene, dialling: Dialling) -> Script[None]:
    """Have FreeSWITCH dial and join. If the node dies, two who talk talk on; nobody is dialled again."""
    try:
        outcome = yield from scene.burst(*_runs(scene, dialling))
        _settle(scene, dialling, outcome)
    except NodeLost:
        dialling.dial_result = Cause.NODE_LOST
        winner = dialling.winner
        if winner is not None and winner.is_alive:
            yield from talk(scene, winner.id)
            scene.emit(Interrupt(scene.leg.id))
        else:  # whoever rings is lost as well, which is told next
            _end_branches(scene, [leg for leg in dialling.legs if leg.is_answered])


def _begin(scene: Scene, verb: Dial) -> Dialling:
    recording = None
    if verb.record is not DialRecord.NO:
        channels = 2 if verb.record in DUAL else 1
        recording = StartRecording(scene.state.mint(ids.RECORDING), channels, verb.recording_track)
    caller_id = verb.caller_id or scene.leg.from_number
    legs = []
    for target in verb.targets:
        leg = Leg(
            scene.state.mint_leg(),
            Direction.OUTBOUND_DIAL,
            caller_id,
            address_of(target),
            scene.state.now_ms,
            status_callback=_absolute(scene, target.status_callback),
        )
        progress.dialled(scene.state, leg)
        legs.append(leg)
    return Dialling(verb, tuple(legs), recording)


def address_of(target: Target) -> str:
    """A target as applications are told it."""
    match target:
        case Number(number):
            return number
        case Sip(uri):
            return uri


def _absolute(scene: Scene, callback: StatusCallback | None) -> StatusCallback | None:
    link = scene.link(callback.link) if callback is not None else None
    return StatusCallback(link, callback.events) if callback is not None and link is not None else None


def _runs(scene: Scene, dialling: Dialling) -> tuple[StartRecording | Bridge | StopRecording, ...]:
    verb, recording = dialling.verb, dialling.recording
    is_early = verb.record in FROM_RINGING
    bridge = Bridge(
        dialling.branches,
        is_sequential=verb.sequential,
        timeout_s=verb.timeout_s,
        time_limit_s=verb.time_limit_s,
        caller_id=verb.caller_id or scene.leg.from_number,
        caller_name=scene.facts.caller_name,
        hangs_up_on_star=verb.hangup_on_star,
        ring_tone=verb.ring_tone,
        recording=None if is_early else recording,
    )
    if recording is None:
        return (bridge,)
    before = (recording,) if is_early else ()
    return (*before, bridge, StopRecording(recording.recording))


def _settle(scene: Scene, dialling: Dialling, outcome: Outcome) -> None:
    """Take from the A-leg's own account what no event told (the process that would have seen it died)."""
    dialling.dial_result = outcome.dial_result
    for leg in dialling.legs:
        if leg.id == outcome.joined_leg and not leg.was_joined:
            progress.answered(scene.state, leg)
            leg.was_joined = True


def _result(dialling: Dialling) -> str:
    if dialling.winner is not None:
        return Result.COMPLETED.value
    if dialling.dial_result not in ("", "SUCCESS", "NORMAL_CLEARING"):
        status = next((leg.sip_status for leg in dialling.legs if leg.cause == dialling.dial_result), None)
        return verdict_of(dialling.dial_result, status, was_answered=False).result.value
    verdicts = [verdict_of(leg.cause, leg.sip_status, was_answered=False) for leg in dialling.legs if leg.cause]
    told = next((verdict.result for verdict in verdicts if verdict.result is not Result.CANCELED), None)
    return (told or Result.NO_ANSWER).value


def _told(scene: Scene, dialling: Dialling) -> Parameters:
    leg = dialling.winner or dialling.legs[-1]
    told = [
        ("DialCallStatus", _result(dialling)),
        ("DialCallSid", parameters.call_sid(leg)),
        ("DialCallDuration", str(leg.talked_s(scene.state.now_ms))),
        ("DialBridged", "true" if dialling.winner else "false"),
    ]
    if isinstance(dialling.verb.targets[0], Sip):
        told += [("DialSipCallId", leg.sip_call_id), ("DialSipResponseCode", str(leg.sip_status or ""))]
    if dialling.recording is not None and _was_recorded(dialling):
        recording = dialling.recording.recording
        told += [
            ("RecordingUrl", recording_url(scene, recording)),
            ("RecordingSid", ids.sid_of("RE", recording)),
            ("RecordingDuration", str(leg.talked_s(scene.state.now_ms))),
        ]
    return tuple(told)


def _was_recorded(dialling: Dialling) -> bool:
    return dialling.winner is not None or dialling.verb.record in FROM_RINGING


def _close(scene: Scene, dialling: Dialling) -> None:
    if dialling.recording is None or not _was_recorded(dialling):
        return
    scene.emit(
        KeepRecording(
            scene.state.token(),
            dialling.recording.recording,
            scene.leg.id,
            "DialVerb",
            channels=dialling.recording.channels,
            duration_ms=None,
            is_trimmed=dialling.verb.trim,
            callback=scene.told(dialling.verb.recording_callback),
            node=scene.state.recorded_on.get(dialling.recording.recording, scene.state.node),
        )
    )


def _tell_ended_call(scene: Scene, dialling: Dialling) -> None:
    """The action is told even when the caller is gone, its answer ignored (TwiML, Dial)."""
    action = scene.link(dialling.verb.action) if dialling.verb.action else None
    if action is not None:
        usual = parameters.standard(scene.state, scene.leg, progress.status_of(scene.state, scene.leg))
        scene.emit(CallBack(scene.state.token(), action, parameters.merged(usual, _told(scene, dialling))))


def _end_branches(scene: Scene, legs: Iterable[Leg]) -> None:
    for leg in legs:
        if leg.is_alive:
            leg.ended_by_us = Cause.NORMAL_CLEARING
            scene.emit(End(leg.id, Cause.NORMAL_CLEARING))
