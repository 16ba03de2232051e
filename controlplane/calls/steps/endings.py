"""Redirect, Reject, Hangup: verbs after which nothing of the document is reached."""

from __future__ import annotations

from controlplane.base.causes import Cause
from controlplane.calls.plans import Ask, Leave, Plan
from controlplane.calls.runs import HangUpLeg
from controlplane.calls.scene import Scene, Script
from controlplane.verbs.documents import Hangup, Link, Redirect, Reject, RejectReason

# SIP: busy is 486, rejected 404 (TwiML, Reject); FreeSWITCH maps the causes so (sofia_glue.c, hangup_cause_to_sip).
REJECT_CAUSES = {RejectReason.BUSY: Cause.USER_BUSY, RejectReason.REJECTED: Cause.UNALLOCATED_NUMBER}


def redirect(scene: Scene, verb: Redirect) -> Script[Plan | None]:
    """Go on with another document. What is queued plays first, and while it plays nothing is asked."""
    if scene.queued:
        yield from scene.burst()
    link = scene.link(Link(verb.url, verb.method) if verb.url else None, verb.method)
    if link is None:
        scene.note("error", 11100, "Redirect without a URL, in a document that has none itself", "Redirect")
        return Leave()
    return Ask(Link(link.url, verb.method))


def hang_up(scene: Scene, _verb: Hangup) -> Script[Plan | None]:
    """End the leg; even as the first verb the call was answered (TwiML, Hangup)."""
    yield from ()
    scene.answer()
    return Leave()


def reject(scene: Scene, verb: Reject) -> Script[Plan | None]:
    """Refuse a call that is not answered yet; an answered one is ended."""
    if scene.leg.is_answered or scene.queued:
        return Leave()
    scene.state.is_rejected = True
    scene.send(HangUpLeg(REJECT_CAUSES[verb.reason]))
    while True:
        yield
