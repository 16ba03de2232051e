"""Say, Play, Pause: queued, never waited for; the next verb that waits sends them along."""

from __future__ import annotations

from controlplane.calls.facts import Direction
from controlplane.calls.plans import Plan
from controlplane.calls.runs import PlayPrompts, SendKeys, Wait
from controlplane.calls.scene import Scene, Script
from controlplane.verbs.documents import Pause, Play, Prompt


def prompt(scene: Scene, verb: Prompt) -> Script[Plan | None]:
    """Queue a prompt behind what is queued already."""
    yield from ()
    if isinstance(verb, Pause) and _delays_answering(scene):
        scene.queue(Wait(verb.length_s * 1000))
        return None
    scene.answer()
    if isinstance(verb, Play) and verb.digits:
        scene.queue(SendKeys(verb.digits))
        if not verb.url:
            return None
    _extend(scene, scene.prompts((verb,)))
    return None


def _delays_answering(scene: Scene) -> bool:
    """A Pause that opens the first document of an inbound call lets it ring on (TwiML, Pause)."""
    is_first = scene.documents == 1 and not scene.queued
    return is_first and not scene.leg.is_answered and scene.leg.direction is Direction.INBOUND


def _extend(scene: Scene, prompts: tuple[Prompt, ...]) -> None:
    last = scene.queued[-1] if scene.queued else None
    if isinstance(last, PlayPrompts):
        scene.queued[-1] = PlayPrompts((*last.prompts, *prompts))
        return
    scene.queue(PlayPrompts(prompts))
