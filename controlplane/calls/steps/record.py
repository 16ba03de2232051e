"""Record: a message from the leg's party."""

from __future__ import annotations

from controlplane.base import ids
from controlplane.calls import parameters
from controlplane.calls.commands import CallBack, KeepRecording
from controlplane.calls.events import Outcome
from controlplane.calls.parameters import Parameters
from controlplane.calls.plans import Ask, Plan
from controlplane.calls.runs import RecordVoice
from controlplane.calls.scene import HungUp, NodeLost, Scene, Script
from controlplane.verbs.documents import Record


def recording_url(scene: Scene, recording: str) -> str:
    """Where a recording can be fetched; no extension, as the reference has it (5.6)."""
    account = ids.sid_of("AC", scene.facts.account)
    return f"{scene.facts.public_url}/2010-04-01/Accounts/{account}/Recordings/{ids.sid_of('RE', recording)}"


def record(scene: Scene, verb: Record) -> Script[Plan | None]:
    """Record, then ask the action; with nothing recorded, the next verb's turn.

    When the caller hangs up, what was recorded is kept and the action is still told, its answer ignored. When the media
    node dies, what was recorded there is kept, and on the next node a new recording begins.
    """
    scene.answer()
    recording = scene.state.mint(ids.RECORDING)
    started_ms = scene.state.now_ms
    try:
        outcome = yield from scene.burst(
            RecordVoice(recording, verb.finish_keys, verb.timeout_s, verb.max_length_s, verb.play_beep)
        )
    except NodeLost as lost:
        _keep(scene, verb, recording, None)
        scene.queue(*lost.before)
        return (yield from record(scene, verb))
    except HungUp:
        _keep(scene, verb, recording, None)
        action = scene.link(verb.action, verb.method)
        if action is not None:
            seconds = -(-(scene.state.now_ms - started_ms) // 1000)
            told = parameters.merged(
                parameters.standard(scene.state, scene.leg, "completed"), _told(scene, recording, seconds, "hangup")
            )
            scene.emit(CallBack(scene.state.token(), action, told))
        raise
    if not outcome.record_ms:
        return None
    _keep(scene, verb, recording, outcome)
    action = scene.link(verb.action, verb.method)
    if action is None:
        return None
    return Ask(action, _told(scene, recording, outcome.record_ms // 1000, outcome.record_terminator))


def _told(scene: Scene, recording: str, seconds: int, key: str) -> Parameters:
    return (
        ("RecordingUrl", recording_url(scene, recording)),
        ("RecordingSid", ids.sid_of("RE", recording)),
        ("RecordingDuration", str(seconds)),
        ("Digits", key),
    )


def _keep(scene: Scene, verb: Record, recording: str, outcome: Outcome | None) -> None:
    scene.emit(
        KeepRecording(
            scene.state.token(),
            recording,
            scene.leg.id,
            "RecordVerb",
            channels=1,
            duration_ms=outcome.record_ms if outcome else None,
            is_trimmed=verb.trim,
            callback=scene.told(verb.callback),
            node=scene.state.recorded_on.get(recording, scene.state.node),
        )
    )
