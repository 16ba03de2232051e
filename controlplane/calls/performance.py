"""A document performed on a leg: its verbs one after another, each a step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from controlplane.calls.facts import Inline
from controlplane.calls.plans import Ask, Leave, Plan, RanOut, obtain
from controlplane.calls.scene import Scene, Script
from controlplane.calls.steps.dial import dial
from controlplane.calls.steps.endings import hang_up, redirect, reject
from controlplane.calls.steps.gather import gather
from controlplane.calls.steps.prompts import prompt
from controlplane.calls.steps.record import record
from controlplane.verbs.documents import (
    Dial,
    Document,
    Gather,
    Hangup,
    Link,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
)


def perform(scene: Scene, document: Document) -> Script[Plan]:
    """Run a document's verbs; the answer is what comes after it."""
    for verb in document.verbs:
        plan = yield from STEPS[type(verb)](scene, verb)
        if plan is not None:
            return plan
    return RanOut()


def follow(scene: Scene, plan: Plan, status: Callable[[], str]) -> Script[Leave | RanOut]:
    """Get and perform documents until one names no other; the answer says how the last one ended."""
    while isinstance(plan, Ask | Inline):
        document = yield from obtain(scene, plan, status())
        plan = yield from perform(scene, document)
    return plan


def screen(scene: Scene, link: Link) -> Script[bool]:
    """Run a document on a leg that was dialled, before it is joined; False if it declines."""
    plan = yield from follow(scene, Ask(link), lambda: "in-progress")
    if isinstance(plan, Leave):
        return False
    if scene.queued:
        yield from scene.burst()
    return True


STEPS: dict[type, Callable[[Scene, Any], Script[Plan | None]]] = {
    Say: prompt,
    Play: prompt,
    Pause: prompt,
    Gather: gather,
    Record: record,
    Dial: partial(dial, screen=screen),
    Redirect: redirect,
    Reject: reject,
    Hangup: hang_up,
}
