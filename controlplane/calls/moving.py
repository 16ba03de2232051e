"""A call goes on on another media node, as its own died: what its legs have to be told there.

FreeSWITCH brings answered legs up again where its other node had them: parked, or joined as they were. Nothing else
comes along: no prompt, no recording, no schedule, nothing that was queued. So what waits for an end is said again from
its beginning, but for what may be said only once: a leg that was dialled is not dialled again, and a recording is kept
up to where it broke off (their steps see to that, see `NodeLost`).
"""

from __future__ import annotations

from dataclasses import replace

from controlplane.base import ids
from controlplane.calls.commands import Burst, End, Interrupt, StayAfterParting
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
    _join_again(state)
    for leg in state.legs.values():
        if leg.is_alive and leg.ended_by_us is not None:
            state.emit(End(leg.id, leg.ended_by_us))
    before, after = _record_anew(state)
    commands = outstanding.begin_anew(lambda run: _renamed(run, before, after))
    if after and not any(isinstance(one, Burst) and _starts(one, after) for one in commands):
        state.emit(Burst(state.a_leg.id, state.token(), (StartRecording(after, channels=1),)))
    state.emit(*commands)


def _join_again(state: CallState) -> None:
    """FreeSWITCH joins two who talked, also where they were to be parted just then."""
    partner = state.a_leg.joined_to
    if partner is None or not (state.a_leg.is_alive and state.legs[partner].is_alive):
        return
    is_parting = state.legs[partner].ended_by_us is not None
    state.emit(Interrupt(state.a_leg.id) if is_parting else StayAfterParting(state.a_leg.id))


def _record_anew(state: CallState) -> tuple[str, str]:
    """Keep the recording of the whole call up to here, and name another; answers both names."""
    before = state.recording
    if not before or not (state.a_leg.is_alive and state.a_leg.is_answered):
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
