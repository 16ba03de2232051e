"""The call machine: a journal's entries in, commands out.

    offered ──answer──► running ──join──► talking ──part──► running ──► ended
        └──────────────────────────── the A-leg ends ───────────────────►

One script (a generator) runs the call from its first document to its last; this file keeps the legs, hands the
script its events, and deals with what may come at any time: the end of a leg, a request of the API, a change of owner.
The same entries always give the same commands: time and salt come with them, nothing is read from outside.

After a change of owner (`Resumed`) the machine says again what may not have gone out: documents asked for and not
arrived are asked for again under the same token, legs to be ended are ended, and of a burst under way the shell is told
to find out (`LookAt`) whether it reached the channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.base import ids
from controlplane.base.causes import Cause, Verdict
from controlplane.base.e164 import E164
from controlplane.base.ids import LegId, Token
from controlplane.calls import progress
from controlplane.calls.commands import (
    Acknowledge,
    AnswerLeg,
    Bridge,
    Burst,
    Claim,
    Command,
    End,
    FetchDocument,
    Finish,
    HangUpLeg,
    Interrupt,
    Join,
    KeepRecording,
    LookAt,
    Mute,
    Note,
    Originate,
    PlayOver,
    RecordVoice,
    Ring,
    SendDigitsNow,
    SendKeys,
    StartRecording,
    TakeInline,
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
    MuteAsked,
    OriginateFailed,
    PlayAsked,
    PromptFailed,
    Redirected,
    Resumed,
)
from controlplane.calls.facts import Direction, Facts, Inline
from controlplane.calls.performance import follow
from controlplane.calls.plans import Ask, Leave, Plan, Replaced
from controlplane.calls.scene import CallState, HungUp, Leg, LegState, Scene, Script
from controlplane.verbs.documents import Number, Sip


@dataclass(slots=True)
class CallMachine:
    """One call. Feed it every entry of its journal, in order, from 0."""

    state: CallState | None = None
    verdict: Verdict | None = None
    _scene: Scene | None = None
    _script: Script[None] | None = None
    _requests: set[str] = field(default_factory=set)  # done: a request is given out until its answer is on record
    _outstanding: dict[Token, Burst | FetchDocument | TakeInline | Join] = field(default_factory=dict)
    _broken_off: Interrupt | None = None  # the last, while nothing was sent to its leg since

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
        self._remember(commands)
        return commands

    @property
    def facts(self) -> Facts:
        """What the call began with; there is none before the first entry."""
        assert self.state is not None
        return self.state.facts

    @property
    def living_legs(self) -> tuple[Leg, ...]:
        """The legs that have not ended, as far as the journal tells."""
        return tuple(leg for leg in self.state.legs.values() if leg.is_alive) if self.state is not None else ()

    def is_alive(self, leg: LegId) -> bool:
        """Say whether this leg of the call has not ended, as far as the journal tells."""
        return any(one.id == leg for one in self.living_legs)

    def may_come_yet(self, leg: LegId) -> bool:
        """Say whether what was sent to another leg has yet to dial this one: its not being there tells nothing."""
        if not self._leg_is(leg, LegState.DIALLED):
            return False
        bursts = (command for command in self._outstanding.values() if isinstance(command, Burst))
        bridges = (run for burst in bursts for run in burst.runs if isinstance(run, Bridge))
        return any(branch.leg == leg for bridge in bridges for branch in bridge.branches)

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
        match event:
            case CallOffered() | CallPlaced():
                return False
            case BurstDone(_, token) if _ends_the_leg(self._outstanding.get(token)):
                return False  # the end of the leg says it all
            case DocumentArrived(token) | DocumentFailed(token) | BurstDone(_, token) | BurstLooked(_, token):
                return token in self._outstanding
            case LegRinging(leg):
                return self._leg_is(leg, LegState.DIALLED)
            case LegAnswered(leg):
                return self._leg_is(leg, LegState.DIALLED, LegState.RINGING)
            case LegEnded(leg) | OriginateFailed(leg):
                return self._leg_is(leg, LegState.DIALLED, LegState.RINGING, LegState.ANSWERED)
            case Redirected() | HangUpAsked() | MuteAsked() | DigitsAsked() | PlayAsked():
                return event.request not in self._requests
            case LegsJoined(leg, other):
                known = self.state.legs.get(leg)
                return known is not None and known.joined_to != other
        return True

    def _leg_is(self, leg: LegId, *states: LegState) -> bool:
        assert self.state is not None
        known = self.state.legs.get(leg)
        return known is not None and known.state in states

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
        self._script = _life(self._scene)
        self._advance(None)

    def _take(self, state: CallState, event: Event) -> None:
        if isinstance(event, Redirected | HangUpAsked | MuteAsked | DigitsAsked | PlayAsked):
            self._requests.add(event.request)
        match event:
            case LegEnded() | OriginateFailed():
                self._leg_ended(state, event)
            case Redirected(request, document):
                self._replace(document if isinstance(document, Inline) else Ask(document))
                state.emit(Acknowledge(request))
            case HangUpAsked() | MuteAsked() | DigitsAsked() | PlayAsked():
                self._asked(state, event)
            case PromptFailed(_, what, problem, code):
                state.emit(Note("error", code, problem, what))
            case Resumed():
                self._resume(state)
            case BurstLooked():
                self._looked(state, event)
            case BurstDone():
                self._burst_done(state, event)
            case DocumentArrived(token) | DocumentFailed(token):
                if self._outstanding.pop(token, None) is not None:
                    self._advance(event)
            case LegRinging() | LegAnswered() | LegsJoined() | LegsParted():
                _keep(state, event)
                self._forget_joins(event)
                self._advance(event)
            case _:
                raise ValueError(f"no entry of a call under way: {event!r}")

    def _forget_joins(self, event: Event) -> None:
        if isinstance(event, LegsJoined):
            legs = {event.leg, event.other}
            done = [token for token, command in self._outstanding.items() if _joins(command, legs)]
            for token in done:
                del self._outstanding[token]

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
        bursts = [command for command in self._outstanding.values() if isinstance(command, Burst)]
        if bursts:
            is_recording = any(isinstance(run, RecordVoice) for burst in bursts for run in burst.runs)
            self._scene.emit(Interrupt(self._scene.leg.id, is_recording))
        self._outstanding.clear()
        self._scene.queued.clear()
        self._throw(Replaced(plan))

    # Legs

    def _leg_ended(self, state: CallState, event: LegEnded | OriginateFailed) -> None:
        if isinstance(event, OriginateFailed):
            event = LegEnded(event.leg, event.cause)
        leg = state.legs.get(event.leg)
        if leg is None or not leg.is_alive:
            return
        progress.ended(state, leg, event)
        for token in [token for token, burst in self._outstanding.items() if _runs_on(burst, leg.id)]:
            del self._outstanding[token]
        if leg.id != state.facts.a_leg:
            self._advance(event)
            return
        self._outstanding.clear()
        self._throw(HungUp())
        self._script = None
        self._close(state)

    def _close(self, state: CallState) -> None:
        for leg in state.legs.values():
            if leg.is_alive and leg.is_ours_to_end:
                leg.ended_by_us = Cause.ORIGINATOR_CANCEL
                state.emit(End(leg.id, Cause.ORIGINATOR_CANCEL))
        if state.recording and state.a_leg.is_answered:
            state.emit(_keep_recording(state))
        self.verdict = progress.verdict_on(state, state.a_leg)
        state.emit(Finish(self.verdict))

    # Requests of the API

    def _asked(self, state: CallState, event: HangUpAsked | MuteAsked | DigitsAsked | PlayAsked) -> None:
        leg = state.legs.get(event.leg or state.facts.a_leg)
        if leg is None or not leg.is_alive:
            state.emit(Acknowledge(event.request, "leg_not_found" if leg is None else "call_not_live"))
            return
        match event:
            case HangUpAsked():
                leg.ended_by_us = Cause.MANAGER_REQUEST
                state.emit(End(leg.id, Cause.NORMAL_CLEARING if leg.is_answered else Cause.MANAGER_REQUEST))
            case MuteAsked(is_on=is_on):
                state.emit(Mute(leg.id, is_on))
            case DigitsAsked(digits=digits, duration_ms=duration_ms):
                state.emit(SendDigitsNow(leg.id, digits, duration_ms))
            case PlayAsked(url=url, loop=loop, stops_on_digit=stops):
                state.emit(PlayOver(leg.id, url, loop, stops))
        state.emit(Acknowledge(event.request))

    # A change of owner

    def _remember(self, commands: tuple[Command, ...]) -> None:
        for command in commands:
            if isinstance(command, Burst | FetchDocument | TakeInline | Join):
                self._outstanding[command.token] = command
            match command:
                case Interrupt():
                    self._broken_off = command
                case Burst(leg) | Join(leg) if self._broken_off is not None and self._broken_off.leg == leg:
                    self._broken_off = None

    def _resume(self, state: CallState) -> None:
        a_leg = state.a_leg
        if a_leg.is_alive and a_leg.direction is Direction.INBOUND:
            state.emit(Claim(a_leg.id, state.facts.time_limit_s))
        for leg in state.legs.values():
            if leg.is_alive and leg.ended_by_us is not None:
                state.emit(End(leg.id, leg.ended_by_us))
        if self._broken_off is not None and self.is_alive(self._broken_off.leg):
            state.emit(self._broken_off)
        for token, command in self._outstanding.items():
            match command:
                case Burst():
                    state.emit(LookAt(command.leg, token))
                case FetchDocument() | TakeInline() | Join():
                    state.emit(command)

    def _looked(self, state: CallState, event: BurstLooked) -> None:
        burst = self._outstanding.get(event.token)
        if not isinstance(burst, Burst):
            return
        if event.last_sent != event.token:
            state.emit(burst)
            return
        self._burst_done(state, BurstDone(event.leg, event.token, event.outcome))

    def _burst_done(self, state: CallState, event: BurstDone) -> None:
        burst = self._outstanding.pop(event.token, None)
        if not isinstance(burst, Burst):
            return
        leg = state.legs.get(burst.leg)
        if leg is not None and any(isinstance(run, AnswerLeg) for run in burst.runs):
            progress.answered(state, leg)  # the news of the answer itself may have been lost with a link
        self._advance(event)


def _life(scene: Scene) -> Script[None]:
    """A call from its beginning until its documents run out; then its A-leg is ended."""
    plan = _first_plan(scene)
    _begin(scene)
    while True:
        try:
            while scene.leg.direction is not Direction.INBOUND and not scene.leg.is_answered:
                yield
            yield from follow(scene, plan, lambda: progress.status_of(scene.state, scene.leg))
            scene.send(HangUpLeg(Cause.NORMAL_CLEARING))
            while True:
                yield
        except Replaced as replaced:
            plan = replaced.plan


def _first_plan(scene: Scene) -> Plan:
    document = scene.facts.document
    if document is None:
        scene.note("error", 21218, "no application answers for this number", "app")
        return Leave()
    return document if isinstance(document, Inline) else Ask(document)


def _begin(scene: Scene) -> None:
    facts = scene.facts
    if facts.record:
        scene.state.recording = scene.state.mint(ids.RECORDING)
        scene.on_answer.append(StartRecording(scene.state.recording, channels=1))
    if facts.send_digits:
        scene.on_answer.append(SendKeys(facts.send_digits))
    if facts.direction is Direction.INBOUND:
        scene.emit(Claim(scene.leg.id, facts.time_limit_s), Ring(scene.leg.id))
        progress.ringing(scene.state, scene.leg)
    else:
        scene.emit(_originate(scene))


def _originate(scene: Scene) -> Originate:
    facts = scene.facts
    to = facts.to_number
    target = Sip(to) if to.startswith("sip") else Number(E164(to))
    return Originate(
        scene.leg.id,
        scene.state.token(),
        target,
        caller_id=facts.from_number,
        caller_name=facts.caller_name,
        ring_timeout_s=facts.ring_timeout_s,
        time_limit_s=facts.time_limit_s,
    )


def _keep(state: CallState, event: LegRinging | LegAnswered | LegsJoined | LegsParted) -> None:
    leg = state.legs.get(event.leg)
    if leg is None:
        return
    match event:
        case LegRinging():
            progress.ringing(state, leg)
        case LegAnswered():
            progress.answered(state, leg)
        case LegsJoined(other=other):
            _join(state, leg, other)
        case LegsParted(other=other):
            for one in (leg, state.legs.get(other)):
                if one is not None:
                    one.joined_to = None


def _join(state: CallState, leg: Leg, other_id: LegId) -> None:
    other = state.legs.get(other_id)
    for one, two in ((leg, other), (other, leg)):
        if one is None:
            continue
        progress.answered(state, one)
        one.was_joined = True
        one.joined_to = two.id if two is not None else None


def _runs_on(command: Command, leg: LegId) -> bool:
    return (isinstance(command, Burst) and command.leg == leg) or _joins(command, {leg})


def _ends_the_leg(command: Command | None) -> bool:
    return isinstance(command, Burst) and isinstance(command.runs[-1], HangUpLeg)


def _joins(command: Command, legs: set[LegId]) -> bool:
    return isinstance(command, Join) and legs <= {command.leg, command.other}


def _keep_recording(state: CallState) -> KeepRecording:
    return KeepRecording(
        state.token(),
        state.recording,
        state.facts.a_leg,
        "OutboundAPI",
        channels=1,
        duration_ms=None,
        is_trimmed=False,
        callback=None,
    )
