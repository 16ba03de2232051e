"""The call machine: a journal's entries in, commands out.

    offered ──answer──► running ──join──► talking ──part──► running ──► ended
        └──────────────────────────── the A-leg ends ───────────────────►

One script (a generator, `life.py`) runs the call from its first document to its last; this file keeps the legs, hands
the script its events, and deals with what may come at any time: the end of a leg, a request of the API, a change of
owner. The same entries always give the same commands: time and salt come with them, nothing is read from outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.base.causes import Verdict
from controlplane.base.ids import LegId, Token
from controlplane.calls import progress
from controlplane.calls.commands import (
    Acknowledge,
    Burst,
    Command,
    End,
    Interrupt,
    Join,
    Note,
    StayAfterParting,
)
from controlplane.calls.events import (
    BurstDone,
    BurstLooked,
    CallOffered,
    CallPlaced,
    DigitsAsked,
    DocumentArrived,
    DocumentFailed,
    Entry,
    Event,
    HangUpAsked,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegsJoined,
    LegsParted,
    Moved,
    MuteAsked,
    OriginateFailed,
    PlayAsked,
    PromptFailed,
    Redirected,
    Resumed,
)
from controlplane.calls.facts import Direction, Facts, Inline
from controlplane.calls.life import close, live
from controlplane.calls.moving import move
from controlplane.calls.outstanding import Outstanding
from controlplane.calls.plans import Ask, Plan, Replaced
from controlplane.calls.relevance import concerns, leg_is, waits_until_moved
from controlplane.calls.requests import carry_out
from controlplane.calls.runs import AnswerLeg, RecordVoice, recording_of
from controlplane.calls.scene import CallState, HungUp, Leg, LegState, Scene, Script


@dataclass(slots=True)
class CallMachine:
    """One call. Feed it every entry of its journal, in order, from 0."""

    state: CallState | None = None
    verdict: Verdict | None = None
    _scene: Scene | None = None
    _script: Script[None] | None = None
    _requests: set[str] = field(default_factory=set)  # done: a request is given out until its answer is on record
    _outstanding: Outstanding = field(default_factory=Outstanding)

    def handle(self, entry: Entry) -> tuple[Command, ...]:
        """Take the next entry; the answer is what is to be done, in order."""
        match entry.event:
            case CallOffered(facts) | CallPlaced(facts):
                self._open(facts, entry)
            case event if self.state is not None:
                self.state.begin(entry.seq, entry.at_ms)
                self._take(self.state, event)
            case _:
                raise ValueError("a journal begins with CallOffered or CallPlaced")
        assert self.state is not None
        commands = tuple(self.state.said)
        self.state.said.clear()
        self._remember(self.state, commands)
        return commands

    @property
    def facts(self) -> Facts:
        """What the call began with; there is none before the first entry."""
        assert self.state is not None
        return self.state.facts

    @property
    def moves(self) -> int:
        """How often the call went on on another node, as far as the journal tells."""
        return self.state.moves if self.state is not None else 0

    @property
    def living_legs(self) -> tuple[Leg, ...]:
        """The legs that have not ended, as far as the journal tells."""
        return tuple(leg for leg in self.state.legs.values() if leg.is_alive) if self.state is not None else ()

    @property
    def bursts(self) -> tuple[Burst, ...]:
        """What was said to legs and is not through, as far as the journal tells."""
        return tuple(self._outstanding.bursts)

    def is_alive(self, leg: LegId) -> bool:
        """Say whether this leg of the call has not ended, as far as the journal tells."""
        return any(one.id == leg for one in self.living_legs)

    def may_come_yet(self, leg: LegId) -> bool:
        """Say whether what was sent to another leg has yet to dial this one: its not being there tells nothing."""
        is_dialled = self.state is not None and leg_is(self.state, leg, LegState.DIALLED)
        return is_dialled and self._outstanding.may_dial(leg)

    @property
    def may_be_joined(self) -> bool:
        """Say whether FreeSWITCH may have joined the A-leg with one that it dialled, and nobody heard of it."""
        if self.state is None or not self.state.a_leg.is_alive or self.state.a_leg.joined_to is not None:
            return False
        return any(self._outstanding.may_dial(leg.id) for leg in self.living_legs)

    def awaits(self, token: Token) -> bool:
        """Say whether a command that was said is not answered, and matters still."""
        return token in self._outstanding

    def has_reached(self, looked: BurstLooked) -> bool:
        """Say whether by this all of a burst reached its leg: then the leg itself will say when that is through."""
        return self._outstanding.reached(looked)

    @property
    def is_over(self) -> bool:
        """No leg is left, so nothing more can come of this call."""
        return self.state is not None and not any(leg.is_alive for leg in self.state.legs.values())

    @property
    def status(self) -> str:
        """The status of the call as the API shows it."""
        return progress.status_of(self.state, self.state.a_leg) if self.state is not None else "queued"

    def concerns(self, event: Event) -> bool:
        """Say whether an event can change anything: repeated and late news is not worth an entry."""
        if self.state is None:
            return isinstance(event, CallOffered | CallPlaced)
        return concerns(self.state, self._outstanding, self._requests, event)

    def waits_until_moved(self, event: Event) -> bool:
        """Say whether an event is to be kept back while the call is on another node than its journal tells."""
        return self.state is not None and waits_until_moved(self.state, event)

    def _open(self, facts: Facts, entry: Entry) -> None:
        self.state = state = CallState(facts)
        state.begin(entry.seq, entry.at_ms)
        leg = Leg(
            facts.a_leg,
            facts.direction,
            facts.from_number,
            facts.to_number,
            entry.at_ms,
            is_ours_to_end=facts.direction is not Direction.INBOUND,
            status_callback=facts.status_callback,
        )
        self._scene = Scene(state, leg)
        progress.dialled(state, leg)
        self._script = live(self._scene)
        self._advance(None)

    def _take(self, state: CallState, event: Event) -> None:
        match event:
            case LegEnded() | OriginateFailed():
                self._leg_ended(state, event)
            case Redirected(request, document):
                self._requests.add(request)
                self._replace(document if isinstance(document, Inline) else Ask(document))
                state.emit(Acknowledge(request))
            case HangUpAsked() | MuteAsked() | DigitsAsked() | PlayAsked():
                self._requests.add(event.request)
                carry_out(state, event)
            case PromptFailed(_, what, problem, code):
                state.emit(Note("error", code, problem, what))
            case Resumed():
                self._resume(state)
            case Moved():
                move(state, self._outstanding, event)
                self._advance(event)
            case BurstLooked():
                self._looked(state, event)
            case BurstDone():
                self._burst_done(state, event)
            case DocumentArrived(token) | DocumentFailed(token):
                if self._outstanding.answered(token) is not None:
                    self._advance(event)
            case LegRinging() | LegAnswered() | LegsJoined() | LegsParted():
                progress.follow(state, event)
                if isinstance(event, LegsJoined):
                    self._outstanding.joined(event.leg, event.other)
                self._advance(event)
            case _:
                raise ValueError(f"no entry of a call under way: {type(event).__name__}")

    # The script

    def _advance(self, event: Event | None) -> None:
        if self._script is None:
            return
        try:
            if event is None:
                next(self._script)
            else:
                self._script.send(event)
        except StopIteration:
            self._script = None

    def _throw(self, error: HungUp | Replaced) -> None:
        if self._script is None:
            return
        try:
            self._script.throw(error)
        except (HungUp, StopIteration):
            self._script = None

    def _replace(self, plan: Plan) -> None:
        """Something else is to be done: what runs is broken off, then the script gets the news."""
        assert self._scene is not None
        bursts = self._outstanding.bursts
        if bursts or self._scene.leg.is_away:
            is_recording = any(isinstance(run, RecordVoice) for burst in bursts for run in burst.runs)
            self._scene.emit(Interrupt(self._scene.leg.id, is_recording))
        self._outstanding.clear()
        self._scene.queued.clear()
        self._throw(Replaced(plan))

    def _burst_done(self, state: CallState, event: BurstDone) -> None:
        burst = self._outstanding.answered(event.token)
        if not isinstance(burst, Burst):
            return
        leg = state.legs.get(burst.leg)
        if leg is not None and any(isinstance(run, AnswerLeg) for run in burst.runs):
            progress.answered(state, leg)  # the news of the answer itself may have been lost with a link
        self._advance(event)

    # The end of a leg

    def _leg_ended(self, state: CallState, event: LegEnded | OriginateFailed) -> None:
        if isinstance(event, OriginateFailed):
            event = LegEnded(event.leg, event.cause)
        leg = state.legs.get(event.leg)
        if leg is None or not leg.is_alive:
            return
        progress.ended(state, leg, event)
        self._outstanding.ended(leg.id)
        if leg.id != state.facts.a_leg:
            self._advance(event)
            return
        self._outstanding.clear()
        self._throw(HungUp())
        self._script = None
        self.verdict = close(state)

    # A change of owner

    def _remember(self, state: CallState, commands: tuple[Command, ...]) -> None:
        for command in commands:
            self._outstanding.remember(command)
            match command:
                case Join(leg) | StayAfterParting(leg):
                    state.legs[leg].is_away = True
                case Interrupt(leg):
                    state.legs[leg].is_away = False
                case Burst(runs=runs):
                    state.recorded_on |= {name: state.node for run in runs if (name := recording_of(run))}

    def _resume(self, state: CallState) -> None:
        a_leg = state.a_leg
        if a_leg.is_alive and a_leg.direction is Direction.INBOUND:
            state.emit(state.claim(a_leg))
        for leg in state.legs.values():
            if leg.is_alive and leg.ended_by_us is not None:
                state.emit(End(leg.id, leg.ended_by_us))
        if state.moves and a_leg.is_away and a_leg.joined_to is not None:
            state.emit(StayAfterParting(a_leg.id))
        state.emit(*self._outstanding.say_again())

    def _looked(self, state: CallState, event: BurstLooked) -> None:
        undialled = self._outstanding.undialled(event)
        if undialled is not None:
            state.emit(undialled)
            return
        if self._outstanding.reached(event):
            self._burst_done(state, BurstDone(event.leg, event.token, event.outcome))
            return
        state.emit(*self._outstanding.rest(event))
