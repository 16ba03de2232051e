"""Dial with screening: each branch is dialled and parked, its own document runs there, and who accepts is joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId
from controlplane.calls.commands import End, Interrupt, Join, Originate
from controlplane.calls.events import Event, LegAnswered, LegEnded, LegsParted, OriginateFailed
from controlplane.calls.runs import AnswerLeg, Branch, RingBack, StartRecording
from controlplane.calls.scene import HungUp, Scene, Script
from controlplane.verbs.documents import Dial, Link

Screen = Callable[[Scene, Link], Script[bool]]


@dataclass(slots=True)
class Round:
    """Branches that ring at the same time. `scripts` are the documents running on those that answered."""

    waiting: dict[LegId, Branch]
    scripts: dict[LegId, Script[bool]] = field(default_factory=dict)


def dial_screened(
    scene: Scene, branches: tuple[Branch, ...], verb: Dial, screen: Screen, recording: StartRecording | None
) -> Script[None]:
    """Dial the branches; join the first whose document ends without declining, until one side leaves."""
    is_early = not scene.leg.is_answered and not scene.queued
    if not is_early:
        scene.send(RingBack(verb.ring_tone))
    winner = None
    for group in _rounds(branches, verb):
        winner = yield from _ring(scene, group, verb, screen)
        if winner is not None:
            break
    if winner is None:
        if not is_early:
            scene.emit(Interrupt(scene.leg.id))
        return
    if is_early:
        yield from scene.burst(AnswerLeg())
        if not scene.state.legs[winner].is_alive:  # it left meanwhile
            return
    else:
        scene.emit(Interrupt(scene.leg.id))
    if recording is not None:
        scene.send(recording)
    scene.emit(Join(scene.leg.id, winner, scene.state.token()))
    yield from talk(scene, winner)
    scene.emit(Interrupt(scene.leg.id))


def _rounds(branches: tuple[Branch, ...], verb: Dial) -> Iterator[dict[LegId, Branch]]:
    if not verb.sequential:
        yield {branch.leg: branch for branch in branches}
        return
    for branch in branches:
        yield {branch.leg: branch}


def _ring(scene: Scene, group: dict[LegId, Branch], verb: Dial, screen: Screen) -> Script[LegId | None]:
    for branch in group.values():
        leg = scene.state.legs[branch.leg]
        leg.is_ours_to_end = True
        scene.emit(
            Originate(
                branch.leg,
                scene.state.token(),
                branch.target,
                caller_id=leg.from_number,
                caller_name=scene.facts.caller_name,
                ring_timeout_s=verb.timeout_s,
                time_limit_s=verb.time_limit_s,
            )
        )
    ring = Round(dict(group))
    while ring.waiting:
        event = yield
        winner = _advance(scene, ring, event, screen)
        if winner is not None:
            _end(scene, [leg for leg in ring.waiting if leg != winner], Cause.LOSE_RACE)
            return winner
    return None


def _advance(scene: Scene, ring: Round, event: Event, screen: Screen) -> LegId | None:
    """Let an event reach the branches; the answer is the leg that may be joined now."""
    match event:
        case LegEnded(leg) | OriginateFailed(leg) if leg in ring.waiting:
            del ring.waiting[leg]
            _close(ring.scripts.pop(leg, None))
        case LegAnswered(leg) if leg in ring.waiting and leg not in ring.scripts:
            link = ring.waiting[leg].target.screening
            absolute = scene.link(link) if link is not None else None
            if absolute is None:
                return leg
            script = screen(Scene(scene.state, scene.state.legs[leg], may_dial=False), absolute)
            ring.scripts[leg] = script
            return _step(scene, ring, leg, None)
        case _:
            for leg in list(ring.scripts):
                if _step(scene, ring, leg, event) is not None:
                    return leg
    return None


def _step(scene: Scene, ring: Round, leg: LegId, event: Event | None) -> LegId | None:
    try:
        if event is None:
            next(ring.scripts[leg])
        else:
            ring.scripts[leg].send(event)
    except StopIteration as stop:
        del ring.scripts[leg]
        if stop.value:
            return leg
        del ring.waiting[leg]
        _end(scene, [leg], Cause.NORMAL_CLEARING)
    return None


def _close(script: Script[bool] | None) -> None:
    if script is None:
        return
    try:
        script.throw(HungUp())
    except (HungUp, StopIteration):
        return


def _end(scene: Scene, legs: list[LegId], cause: Cause) -> None:
    for leg in legs:
        scene.state.legs[leg].ended_by_us = cause
        scene.emit(End(leg, cause))


def talk(scene: Scene, winner: LegId) -> Script[None]:
    """Wait until a leg that was joined leaves, or is parted from ours; then it is ended."""
    while scene.state.legs[winner].is_alive:
        event = yield
        match event:
            case LegEnded(leg) if leg == winner:
                return
            case LegsParted(leg, other) if winner in (leg, other):
                if scene.state.legs[winner].is_alive:
                    _end(scene, [winner], Cause.NORMAL_CLEARING)
                return
            case _:
                continue
