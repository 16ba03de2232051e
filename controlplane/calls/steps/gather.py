"""Gather: collect DTMF while prompts play.

FreeSWITCH collects, so that no key is lost while a call changes hands; the digits come with the end of the burst.
"""

from __future__ import annotations

from controlplane.calls.events import Outcome
from controlplane.calls.plans import Ask, Plan
from controlplane.calls.runs import Collect, PlayPrompts
from controlplane.calls.scene import Scene, Script
from controlplane.verbs.documents import Gather, Pause

MAX_DIGITS = 127  # FreeSWITCH collects into 128 bytes (mod_dptools, read)
MAX_LEADING_FINISH_KEYS = 20


def gather(scene: Scene, verb: Gather) -> Script[Plan | None]:
    """Collect, then ask the action; with nothing collected, the next verb's turn."""
    scene.answer()
    if "dtmf" not in verb.inputs:
        scene.queue(PlayPrompts((*scene.prompts(verb.prompts), Pause(verb.timeout_s))))
        outcome = yield from scene.burst()
    else:
        outcome = yield from _collect(scene, verb)
    if not outcome.digits and not verb.action_on_empty_result:
        return None
    action = scene.link(verb.action, verb.method)
    if action is None:
        scene.note("error", 11100, "no action, in a document that has no URL itself", "Gather@action")
        return None
    told = [("Digits", outcome.digits)]
    if outcome.terminator:
        told.append(("FinishedOnKey", outcome.terminator))
    return Ask(action, tuple(told))


def _collect(scene: Scene, verb: Gather) -> Script[Outcome]:
    """A finish key counts only after a digit (TwiML, Gather): pressed first, it is passed over."""
    prompts = scene.prompts(verb.prompts)
    for _ in range(MAX_LEADING_FINISH_KEYS):
        outcome = yield from scene.burst(
            Collect(prompts, min(verb.num_digits or MAX_DIGITS, MAX_DIGITS), verb.finish_key, verb.timeout_s)
        )
        if outcome.digits or not outcome.terminator:
            return outcome
        prompts = ()
    return Outcome()
