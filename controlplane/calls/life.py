"""A whole call: how it begins, which document is first, what comes when documents run out, and how it ends."""

from __future__ import annotations

from controlplane.base import ids
from controlplane.base.causes import Cause, Verdict
from controlplane.base.e164 import E164
from controlplane.calls import progress
from controlplane.calls.commands import Claim, End, Finish, KeepRecording, Originate, Ring
from controlplane.calls.facts import Direction, Inline
from controlplane.calls.performance import follow
from controlplane.calls.plans import Ask, Leave, Plan, Replaced
from controlplane.calls.runs import HangUpLeg, SendKeys, StartRecording
from controlplane.calls.scene import CallState, Scene, Script
from controlplane.verbs.documents import Number, Sip


def live(scene: Scene) -> Script[None]:
    """A call from its beginning until its documents run out; then its A-leg is ended."""
    plan = _first_plan(scene)
    _begin(scene)
    while True:
        try:
            while scene.leg.direction is not Direction.INBOUND and not scene.leg.is_answered:
                yield
            yield from follow(scene, plan, lambda: progress.status_of(scene.state, scene.leg))
            scene.send(HangUpLeg(Cause.NORMAL_CLEARING))
            while True:
                yield
        except Replaced as replaced:
            plan = replaced.plan


def _first_plan(scene: Scene) -> Plan:
    document = scene.facts.document
    if document is None:
        scene.note("error", 21218, "no application answers for this number", "app")
        return Leave()
    return document if isinstance(document, Inline) else Ask(document)


def _begin(scene: Scene) -> None:
    facts = scene.facts
    if facts.record:
        scene.state.recording = scene.state.mint(ids.RECORDING)
        scene.on_answer.append(StartRecording(scene.state.recording, channels=1))
    if facts.send_digits:
        scene.on_answer.append(SendKeys(facts.send_digits))
    if facts.direction is Direction.INBOUND:
        scene.emit(Claim(scene.leg.id, facts.time_limit_s), Ring(scene.leg.id))
        progress.ringing(scene.state, scene.leg)
    else:
        scene.emit(_originate(scene))


def _originate(scene: Scene) -> Originate:
    facts = scene.facts
    to = facts.to_number
    target = Sip(to) if to.startswith("sip") else Number(E164(to))
    return Originate(
        scene.leg.id,
        scene.state.token(),
        target,
        caller_id=facts.from_number,
        caller_name=facts.caller_name,
        ring_timeout_s=facts.ring_timeout_s,
        time_limit_s=facts.time_limit_s,
    )


def close(state: CallState) -> Verdict:
    """The A-leg is gone: end what nothing else ends, keep what was recorded, and say how the call went."""
    for leg in state.legs.values():
        if leg.is_alive and leg.is_ours_to_end:
            leg.ended_by_us = Cause.ORIGINATOR_CANCEL
            state.emit(End(leg.id, Cause.ORIGINATOR_CANCEL))
    if state.recording and state.a_leg.is_answered:
        state.emit(keep_recording(state))
    verdict = progress.verdict_on(state, state.a_leg)
    state.emit(Finish(verdict, progress.ended_late_ms(state, state.a_leg)))
    return verdict


def keep_recording(state: CallState) -> KeepRecording:
    """Keep what was recorded of the whole call."""
    return KeepRecording(
        state.token(),
        state.recording,
        state.facts.a_leg,
        "OutboundAPI",
        channels=1,
        duration_ms=None,
        is_trimmed=False,
        callback=None,
        node=state.recorded_on.get(state.recording, state.node),
    )
