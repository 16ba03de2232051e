"""Commands carried out: on the node, at the application, in files. One row a command."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import (
    Acknowledge,
    Burst,
    CallBack,
    Claim,
    Command,
    End,
    FetchDocument,
    Finish,
    Interrupt,
    Join,
    KeepRecording,
    LookAt,
    Mute,
    Note,
    Originate,
    PlayOver,
    Publish,
    Ring,
    SendDigitsNow,
    StayAfterParting,
    TakeInline,
)
from controlplane.calls.events import BurstDone, BurstLooked, Event, OriginateFailed, PromptFailed
from controlplane.calls.facts import Direction, Facts
from controlplane.calls.runs import AnswerLeg, HangUpLeg, Run
from controlplane.calls.scene import LegState
from controlplane.callserver.asking import Questions
from controlplane.callserver.call import LiveCall
from controlplane.callserver.crowd import OwnCalls
from controlplane.callserver.dialling import Dialling, branches_of, under_own_number, with_own_number
from controlplane.callserver.joining import join
from controlplane.callserver.letting_go import Unsaved
from controlplane.callserver.line import Line, Sounds
from controlplane.callserver.measuring import VERB_OF
from controlplane.callserver.outlet import Outlet
from controlplane.callserver.overlays import Overlays
from controlplane.callserver.pace import Pace
from controlplane.callserver.ports import Meters, Numbers, Prompts
from controlplane.callserver.ringing import Ringing
from controlplane.esl.errors import UnsafeValue
from controlplane.switch.link import LinkLost
from controlplane.switch.translation import Looked

log = logging.getLogger(__name__)

UNSET = "_undef_"  # uuid_getvar of a variable that is not set


@dataclass(slots=True)
class Effects:
    """Carries out commands for the calls of one node."""

    outlet: Outlet
    dialling: Dialling
    questions: Questions
    prompts: Prompts
    overlays: Overlays
    ringing: Ringing
    numbers: Numbers
    meters: Meters
    calls: dict[LegId, LiveCall]
    unsaved: Unsaved  # of all nodes
    lines: dict[LegId, Line] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    own: OwnCalls = field(default_factory=OwnCalls)

    def carry_out(self, call: LiveCall, command: Command) -> None:
        """Do what the machine asked for; what the node or the network makes of it comes back as events."""
        try:
            self._carry_out(call, command)
        except LinkLost:
            return  # the resynchronisation that follows says it again where it still matters
        except UnsafeValue as error:
            self._refuse(call, command, error)

    def begin(self, call: LiveCall, facts: Facts) -> None:
        """Know a call from here on."""
        self.calls[facts.a_leg] = call
        self.own.came(facts)
        self.outlet.go_on(call)

    def is_over(self, call: LiveCall) -> None:
        """Forget a call."""
        self.own.went(call.id)
        self.unsaved.add(call)
        for leg in self._legs_of(call):
            del self.calls[leg]
            self.ended(leg)
        self.questions.forget(call.id)
        verdict = call.machine.verdict
        if verdict is not None and not call.had_verdict:
            direction = "inbound" if call.machine.facts.direction is Direction.INBOUND else "outbound"
            self.meters.call_finished(direction, verdict)
            told = {"call": call.id, "direction": direction, "result": verdict.result.value, "reason": verdict.reason}
            log.info("call_finished", extra=told)

    def give_up(self, call: LiveCall) -> None:
        """End every leg of a call that we cannot go on with."""
        for leg in self._legs_of(call):
            with suppress(LinkLost):
                self.outlet.end(leg, Cause.NORMAL_TEMPORARY_FAILURE)

    def _legs_of(self, call: LiveCall) -> list[LegId]:
        return [leg for leg in call.legs if self.calls.get(leg) is call]

    def was_lost(self) -> None:
        """Somebody else wrote in a call's journal: perhaps its last owner, and the call is ours all the same."""
        self.pace.lost()

    # What became of a leg

    def parked(self, leg: LegId) -> None:
        """A leg of ours went back to park."""
        self.dialling.forget(leg)
        if leg in self.lines:
            self.lines[leg].parked()

    def answered(self, leg: LegId) -> None:
        """A leg was answered. One that we dialled is about to be parked, which would cut what was sent before that."""
        call = self.calls.get(leg)
        if call is not None and self.dialling.is_on_the_way(leg):
            self._line(call, leg).wait_until_parked()

    def ended(self, leg: LegId) -> None:
        """A leg is gone: nothing is to be sent there."""
        self.dialling.forget(leg)
        self.overlays.ended(leg)
        self.ringing.forget(leg)
        line = self.lines.pop(leg, None)
        if line is not None:
            line.close()

    def pressed(self, leg: LegId) -> None:
        """A key was pressed there, which ends what was played over the call."""
        call = self.calls.get(leg)
        if call is not None:
            self.overlays.pressed(call, leg)

    # Commands

    def _carry_out(self, call: LiveCall, command: Command) -> None:
        send, writer = self.outlet.send, self.outlet.writer
        match command:
            case Burst():
                self._run(call, with_own_number(call, command, self.numbers))
            case Claim(leg) | Ring(leg):
                self.ringing.begin(call, leg)  # said by the owner before a Claim, perhaps, and not done yet
                if isinstance(command, Claim):
                    send(call, leg, *writer.claim(leg, command.time_limit_s))
            case Interrupt(leg):
                self._line(call, leg).interrupt(command)
            case End(leg, cause):
                self.ended(leg)
                send(call, leg, writer.end(leg, cause))
            case Originate():
                self.calls[command.leg] = call
                self.dialling.originate(call, under_own_number(call, command, command.token, self.numbers))
            case Join() | StayAfterParting():
                join(self.outlet, call, command)
            case Mute(leg, is_on):
                send(call, leg, writer.mute(leg, is_on=is_on))
            case SendDigitsNow(leg, digits, duration_ms):
                send(call, leg, writer.keys_now(leg, digits, duration_ms))
            case PlayOver():
                self.overlays.play(call, command)
            case LookAt(leg, token):
                self._look(call, leg, token)
            case FetchDocument() | TakeInline():
                self.questions.ask(call, command)
            case Publish() | CallBack() | KeepRecording() | Note() | Acknowledge() | Finish():
                return  # written down with their entry
            case _:
                assert_never(command)

    def _look(self, call: LiveCall, leg: LegId, token: Token) -> None:
        """Ask what reached a leg; where all of a burst did, have the leg itself say when that is through."""
        line = self._line(call, leg)
        line.take_back(token)

        def take(last_sent: str) -> None:
            looked = BurstLooked(leg, token, "" if last_sent == UNSET else last_sent)
            if call.machine.has_reached(looked):
                line.probe(token)
            else:
                call.feed(looked)

        self.outlet.ask(call, leg, self.outlet.writer.ask_sent(leg), take)

    def looked(self, call: LiveCall, news: Looked) -> None:
        """A burst is through of which nobody heard: legs that it dialled may have come and gone meanwhile."""
        call.feed(news.event)
        for other in call.machine.living_legs:
            if other.id != news.leg:
                self.outlet.doubt(call, other.id)

    def happened(self, call: LiveCall, event: Event) -> None:
        """Something became of a leg.

        What was to dial legs for a caller who is gone now may never have begun: then nobody tells of their ends. Nor
        does anybody of those whose turn never came as somebody before them answered.
        """
        call.feed(event)
        is_over = call.machine.verdict is not None
        if not is_over and not isinstance(event, BurstDone):
            return
        for leg in call.machine.living_legs:
            is_new = leg.state is LegState.DIALLED
            if not leg.is_ours_to_end and leg.id != call.machine.facts.a_leg and (is_over or is_new):
                never = Cause.ORIGINATOR_CANCEL if is_over else Cause.LOSE_RACE
                self.outlet.doubt(call, leg.id, never if is_new else Cause.LOST)

    # Bursts

    def _run(self, call: LiveCall, burst: Burst) -> None:
        for branch in branches_of(burst.runs):
            self.calls[branch.leg] = call
        if burst.runs and isinstance(burst.runs[0], AnswerLeg | HangUpLeg):
            self.ringing.forget(burst.leg)
        self._line(call, burst.leg).send(burst)

    def _line(self, call: LiveCall, leg: LegId) -> Line:
        line = self.lines.get(leg)
        if line is not None:
            return line

        def write(burst: Burst, runs: tuple[Run, ...], sounds: Sounds, left: int) -> None:
            self._write_burst(call, burst, runs, sounds, left=left)

        def probe(token: Token) -> None:
            with suppress(LinkLost):
                self.outlet.send(call, leg, self.outlet.writer.look(leg, token))

        def cut(leg: LegId, is_parked_after: bool) -> None:  # noqa: FBT001
            self.outlet.send(call, leg, *self.outlet.writer.interrupt(leg, is_parked_after=is_parked_after))

        line = Line(leg, call.node, call.clock, self.prompts, write, probe, cut, call.feed, call.broke)
        self.lines[leg] = line
        return line

    def _write_burst(self, call: LiveCall, burst: Burst, runs: tuple[Run, ...], sounds: Sounds, *, left: int) -> None:
        if not self.outlet.pulse.is_sure:
            self.outlet.pulse.postpone(partial(self._write_burst, call, burst, runs, sounds, left=left))
            return
        if call.is_dropped:
            return
        try:
            self.outlet.send(call, burst.leg, *self.outlet.writer.burst(burst, runs, sounds, left=left))
            self.meters.verb_started(VERB_OF[type(runs[-1])], call.clock.monotonic_s() - call.fed_s)
        except LinkLost:
            self._line(call, burst.leg).take_back(burst.token)  # its next part would tell that this one had arrived
        except UnsafeValue as error:
            self._refuse(call, burst, error)
            rest = tuple(run for run in runs if self.outlet.writer.takes(burst.leg, run, sounds))
            with suppress(LinkLost):
                self.outlet.send(call, burst.leg, *self.outlet.writer.burst(burst, rest, sounds, left=left))

    def _refuse(self, call: LiveCall, command: Command, error: UnsafeValue) -> None:
        """A value of the tenant's would not be safe on the node: say so, and go on without what needed it."""
        log.warning("command_refused", extra={"call": call.id, "command": type(command).__name__})
        match command:
            case Burst(_, token):
                call.feed(PromptFailed(token, "a value of this document", error.message, 13211))
            case Originate(leg):
                call.feed(OriginateFailed(leg, Cause.INVALID_NUMBER_FORMAT))
            case _:
                return
