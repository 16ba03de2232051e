"""A call goes on on another media node, as its own died: what its legs have to be told there.

FreeSWITCH brings answered legs up again where its other node had them: parked, or joined as they were. Nothing else
comes along: no prompt, no recording, no schedule, nothing that was queued. So what waits for an end is said again from
its beginning, but for what may be said only once: a leg that was dialled is not dialled again, and a recording is kept
up to where it broke off (their steps see to that, see `NodeLost`).
"""

from __future__ import annotations

from dataclasses import replace

from controlplane.base import ids
from controlplane.calls.commands import Burst, StayAfterParting
from controlplane.calls.events import Moved
from controlplane.calls.life import keep_recording
from controlplane.calls.outstanding import Outstanding
from controlplane.calls.runs import Run, StartRecording
from controlplane.calls.scene import CallState


def move(state: CallState, outstanding: Outstanding, moved: Moved) -> None:
    """Say what is to be said to the legs on the next node; the script has its turn after this."""
    state.node, state.moves = moved.node, max(state.moves + 1, moved.moves)
    for leg in state.legs.values():
        if leg.is_alive and (leg is state.a_leg or leg.is_ours_to_end):
            state.emit(state.claim(leg))
    a_leg = state.a_leg
    if a_leg.joined_to is not None and state.legs[a_leg.joined_to].is_alive:
        state.emit(StayAfterParting(a_leg.id))
    before, after = _record_anew(state)
    commands = outstanding.begin_anew(lambda run: _renamed(run, before, after))
    if after and not any(isinstance(one, Burst) and _starts(one, after) for one in commands):
        state.emit(Burst(a_leg.id, state.token(), (StartRecording(after, channels=1),)))
    state.emit(*commands)


def _record_anew(state: CallState) -> tuple[str, str]:
    """Keep the recording of the whole call up to here, and name another; answers both names."""
    before = state.recording
    if not before or not state.a_leg.is_answered:
        return "", ""
    if before in state.recorded_on:
        state.emit(keep_recording(state))
    state.recording = state.mint(ids.RECORDING)
    return before, state.recording


def _renamed(run: Run, before: str, after: str) -> Run:
    if isinstance(run, StartRecording) and before and run.recording == before:
        return replace(run, recording=after)
    return run


def _starts(burst: Burst, recording: str) -> bool:
    return any(isinstance(run, StartRecording) and run.recording == recording for run in burst.runs)
