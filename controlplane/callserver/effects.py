"""Commands carried out: on the node, at the application, in files. One row a command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import (
    Branch,
    Bridge,
    Burst,
    Claim,
    Command,
    End,
    FetchDocument,
    Interrupt,
    Join,
    LookAt,
    Mute,
    Originate,
    PlayOver,
    Ring,
    Run,
    SendDigitsNow,
    TakeInline,
)
from controlplane.calls.events import (
    BurstLooked,
    DocumentArrived,
    DocumentFailed,
    LegEnded,
    OriginateFailed,
    Outcome,
    PromptFailed,
)
from controlplane.calls.facts import Direction
from controlplane.callserver.call import LiveCall
from controlplane.callserver.line import Line, Sounds
from controlplane.callserver.measuring import VERB_OF
from controlplane.callserver.ports import Applications, FetchFailed, Meters, Numbers, PromptFailedError, Prompts
from controlplane.callserver.pulse import Pulse
from controlplane.esl import apis
from controlplane.esl.commands import Command as EslCommand
from controlplane.esl.errors import UnsafeValue
from controlplane.esl.frames import Frame
from controlplane.switch.link import LinkLost
from controlplane.switch.node import Node
from controlplane.switch.writing import Writer
from controlplane.verbs.documents import Play

log = logging.getLogger(__name__)

LOST_LEG_CHECK_S = 1.0  # after the node said it does not know a leg, the end of that leg has this long to be told


@dataclass(slots=True)
class Effects:
    """Carries out commands for the calls of one node."""

    node: Node
    writer: Writer
    applications: Applications
    prompts: Prompts
    numbers: Numbers
    meters: Meters
    pulse: Pulse
    calls: dict[LegId, LiveCall]
    lines: dict[LegId, Line] = field(default_factory=dict)
    questions: set[asyncio.Task[None]] = field(default_factory=set)  # of calls that are over, too
    dialled: set[LegId] = field(default_factory=set)  # by Originate, and not parked yet
    joined: set[LegId] = field(default_factory=set)  # by Join; those that `bridge` joined come back by themselves

    def carry_out(self, call: LiveCall, command: Command) -> None:
        """Do what the machine asked for; what the node or the network makes of it comes back as events."""
        try:
            self._carry_out(call, command)
        except LinkLost:
            return  # the resynchronisation that follows says it again where it still matters
        except UnsafeValue as error:
            self._refuse(call, command, error)

    def is_over(self, call: LiveCall) -> None:
        """Forget a call."""
        for leg in [leg for leg, owner in self.calls.items() if owner is call]:
            del self.calls[leg]
            line = self.lines.pop(leg, None)
            if line is not None:
                line.close()
        self.applications.forget(call.id)
        if call.machine.verdict is not None:
            direction = "inbound" if call.machine.facts.direction is Direction.INBOUND else "outbound"
            self.meters.call_finished(direction, call.machine.verdict)

    def close(self) -> None:
        """Leave off what is under way."""
        for question in list(self.questions):
            question.cancel()

    def give_up(self, call: LiveCall) -> None:
        """End every leg of a call that we cannot go on with."""
        for leg in [leg for leg, owner in self.calls.items() if owner is call]:
            with suppress(LinkLost):
                self.end(leg, Cause.NORMAL_TEMPORARY_FAILURE)

    def end(self, leg: LegId, cause: Cause) -> None:
        """End a leg, whoever's it is. Raises LinkLost."""
        self._write(self.writer.end(leg, cause))

    def parked(self, leg: LegId) -> None:
        """A leg of ours went back to park."""
        self.dialled.discard(leg)
        if leg in self.lines:
            self.lines[leg].parked()

    def answered(self, leg: LegId) -> None:
        """A leg was answered. One that we dialled is about to be parked, which would cut what was sent before that."""
        call = self.calls.get(leg)
        if leg in self.dialled and call is not None:
            self._line(call, leg).wait_until_parked()

    def parted(self, leg: LegId) -> None:
        """Two legs are parted; one that we had joined is brought back before anything more is sent to it."""
        call = self.calls.get(leg)
        if leg not in self.joined or call is None:
            return
        self.joined.discard(leg)
        try:
            self._send(call, leg, *self.writer.part(leg))
        except LinkLost:
            return
        self._line(call, leg).wait_until_parked()

    def ended(self, leg: LegId) -> None:
        """A leg is gone: nothing is to be sent there."""
        self.joined.discard(leg)
        self.dialled.discard(leg)
        line = self.lines.pop(leg, None)
        if line is not None:
            line.close()

    def _carry_out(self, call: LiveCall, command: Command) -> None:
        match command:
            case Burst():
                command = self._allowed(call, command)
                self._adopt(call, command.runs)
                self._line(call, command.leg).send(command)
            case Claim(leg, time_limit_s):
                self._send(call, leg, *self.writer.claim(leg, call.id, time_limit_s))
            case Ring(leg):
                self._send(call, leg, self.writer.ring(leg))
            case Interrupt(leg):
                self._line(call, leg).interrupt(command)
            case End(leg, cause):
                self.ended(leg)
                self._send(call, leg, self.writer.end(leg, cause))
            case Originate():
                self.calls[command.leg] = call
                self.dialled.add(command.leg)
                self._originate(call, command)
            case Join(leg, other):
                self.joined.add(leg)
                self._send(call, leg, *self.writer.join(leg, other))
            case Mute(leg, is_on):
                self._send(call, leg, self.writer.mute(leg, is_on=is_on))
            case SendDigitsNow(leg, digits, duration_ms):
                self._send(call, leg, self.writer.keys_now(leg, digits, duration_ms))
            case PlayOver():
                call.start(f"play {command.leg}", lambda: asyncio.create_task(self._play_over(call, command)))
            case LookAt(leg, token):
                self._look(call, leg, token)
            case FetchDocument():
                asked = call.ask(command.token, lambda: asyncio.create_task(self._fetch(call, command)))
                self.questions.add(asked)
                asked.add_done_callback(self.questions.discard)
            case TakeInline(token, inline):
                arrived = DocumentArrived(token, "", inline.content_type, inline.body.encode())
                asyncio.get_running_loop().call_soon(call.feed, arrived)

    # The node

    def _send(self, call: LiveCall, leg: LegId, *commands: EslCommand) -> None:
        def replied(frame: Frame | None) -> None:
            if frame is not None and (frame.reply_text or frame.text).startswith("-ERR"):
                self._doubt(call, leg)

        for command in commands:
            self._write(command, replied)

    def _write(self, command: EslCommand, on_reply: Callable[[Frame | None], None] | None = None) -> None:
        self._make_sure()
        self.node.send(command, on_reply)

    def _make_sure(self) -> None:
        """Raise LinkLost where it is not known whose calls these are: the links are cut then, to begin anew."""
        if not self.pulse.is_sure:
            self.pulse.was_refused = True
            raise LinkLost("Nothing is sent after a sleep before it is known whose calls these are.")

    def _look(self, call: LiveCall, leg: LegId, token: Token) -> None:
        line = self.lines.get(leg)
        if line is None or line.owed is None:
            self._send(call, leg, self.writer.look(leg, token))
            return
        # What was to be stopped runs on, so nothing that came after it was sent, and nothing queued would have a turn.
        line.interrupt(line.owed)
        asyncio.get_running_loop().call_soon(call.feed, BurstLooked(leg, token, "", Outcome()))

    def _doubt(self, call: LiveCall, leg: LegId) -> None:
        """The node does not know a leg: unless its end is told soon, nobody saw it go."""

        def check() -> None:
            if self.calls.get(leg) is call:
                call.feed(LegEnded(leg, Cause.LOST))

        if call.machine.is_alive(leg) and not call.machine.may_come_yet(leg):
            asyncio.get_running_loop().call_later(LOST_LEG_CHECK_S, self._ask_whether_alive, leg, check)

    def _ask_whether_alive(self, leg: LegId, gone: Callable[[], None]) -> None:
        def replied(frame: Frame | None) -> None:
            if frame is not None and frame.text.strip() == "false":
                gone()

        with suppress(LinkLost):
            self._write(apis.uuid_exists(leg), replied)

    def _originate(self, call: LiveCall, command: Originate) -> None:
        self._make_sure()

        def finished(answer: str) -> None:
            if answer.startswith("-ERR"):
                call.feed(OriginateFailed(command.leg, answer[len("-ERR ") :].strip() or "NORMAL_UNSPECIFIED"))

        self.node.originate(self.writer.originate(command, call.id), command.token, finished)

    # Bursts

    def _allowed(self, call: LiveCall, burst: Burst) -> Burst:
        """Dial under the call's own number where the document's is not the account's to show (reference, 13214)."""
        facts = call.machine.facts
        own = {facts.from_number, facts.to_number}
        runs: list[Run] = []
        for run in burst.runs:
            if isinstance(run, Bridge) and not (
                run.caller_id in own or self.numbers.may_show(facts.account, run.caller_id)
            ):
                problem = "callerId is neither of this call's numbers nor one of the account's"
                call.feed(PromptFailed(burst.token, "Dial@callerId", problem, 13214))
                runs.append(replace(run, caller_id=facts.from_number))
                continue
            runs.append(run)
        return replace(burst, runs=tuple(runs))

    def _adopt(self, call: LiveCall, runs: tuple[Run, ...]) -> None:
        for branch in branches_of(runs):
            self.calls[branch.leg] = call

    def _line(self, call: LiveCall, leg: LegId) -> Line:
        line = self.lines.get(leg)
        if line is None:

            def write(burst: Burst, runs: tuple[Run, ...], sounds: Sounds, is_last: bool) -> None:  # noqa: FBT001
                self._write_burst(call, burst, runs, sounds, is_last=is_last)

            def cut(leg: LegId, is_parked_after: bool) -> None:  # noqa: FBT001
                self._send(call, leg, *self.writer.interrupt(leg, is_parked_after=is_parked_after))

            def fail(event: PromptFailed) -> None:
                call.feed(event)

            line = self.lines[leg] = Line(leg, call.node, self.prompts, write, cut, fail, call.broke)
        return line

    def _write_burst(
        self, call: LiveCall, burst: Burst, runs: tuple[Run, ...], sounds: Sounds, *, is_last: bool
    ) -> None:
        if not self.pulse.is_sure:
            self.pulse.postpone(partial(self._write_burst, call, burst, runs, sounds, is_last=is_last))
            return
        if call.is_dropped:
            return
        try:
            commands = self.writer.burst(burst, runs, sounds, is_last=is_last)
            self._send(call, burst.leg, *commands)
            self.meters.verb_started(VERB_OF[type(runs[-1])], call.clock.monotonic_s() - call.fed_s)
        except LinkLost:
            return
        except UnsafeValue as error:
            self._refuse(call, burst, error)

    def _refuse(self, call: LiveCall, command: Command, error: UnsafeValue) -> None:
        """A value of the tenant's would not be safe on the node: say so, and go on without what needed it."""
        log.warning("command_refused", extra={"call": call.id, "command": type(command).__name__})
        match command:
            case Burst(leg, token):
                call.feed(PromptFailed(token, "a value of this document", error.message, 13211))
                self._send(call, leg, self.writer.skip(leg, token))
            case Originate(leg):
                call.feed(OriginateFailed(leg, Cause.INVALID_NUMBER_FORMAT))
            case _:
                return

    # Applications and prompts

    async def _fetch(self, call: LiveCall, command: FetchDocument) -> None:
        facts = call.machine.facts
        began_s = call.clock.monotonic_s()
        try:
            fetched = await self.applications.fetch(facts, command.link, command.parameters, command.token)
        except FetchFailed as error:
            self.meters.hook_answered(str(error.code), call.clock.monotonic_s() - began_s)
            call.feed(DocumentFailed(command.token, command.link.url, error.problem, error.code))
            return
        self.meters.hook_answered("ok", call.clock.monotonic_s() - began_s)
        call.feed(DocumentArrived(command.token, fetched.url, fetched.content_type, fetched.body))

    async def _play_over(self, call: LiveCall, command: PlayOver) -> None:
        try:
            sound = await self.prompts.make_sound(call.node, Play(command.url))
            self._send(call, command.leg, *self.writer.play_over(command.leg, sound, command.loop))
        except PromptFailedError as error:
            log.info("play_failed", extra={"call": call.id, "code": error.code})
        except LinkLost:
            return


def branches_of(runs: tuple[Run, ...]) -> tuple[Branch, ...]:
    """The legs that these runs will make."""
    return tuple(branch for run in runs if isinstance(run, Bridge) for branch in run.branches)
