"""The one way out to a media node.

Nothing leaves while it is not known whose calls these are (`pulse.py`). Nothing leaves for a call either from when the
links were lost until it goes on (`matching.py`): what was said to it before may have been lost with them, and what is
said later would look as if that had arrived. A leg that the node says it does not know is looked for: if its end is not
told soon, nobody saw it go.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from controlplane.base.causes import Cause
from controlplane.base.ids import LegId, Token
from controlplane.calls.events import LegEnded
from controlplane.callserver.call import LiveCall
from controlplane.callserver.pulse import Pulse
from controlplane.esl.commands import Command
from controlplane.esl.frames import Frame
from controlplane.switch.link import LinkLost
from controlplane.switch.node import Node
from controlplane.switch.writing import Writer

LOST_LEG_CHECK_S = 1.0  # how long the end of a leg that is not on the node may take to be told


@dataclass(slots=True)
class Outlet:
    """Writes to one node. Everything that writes raises LinkLost."""

    node: Node
    writer: Writer
    pulse: Pulse
    generation: int = 0  # of the links: who goes on with a call tells it the one of that time

    def lost(self) -> None:
        """The links are gone, and no call goes on before it is told so."""
        self.generation += 1

    def go_on(self, call: LiveCall) -> None:
        """Nothing that was said to this call is lost without anybody knowing."""
        call.generation = self.generation

    def send(self, call: LiveCall, leg: LegId, *commands: Command) -> None:
        """Write commands for a leg of a call."""

        def replied(frame: Frame) -> None:
            if _is_error(frame):
                self.doubt(call, leg)

        self._make_sure_of(call)
        for command in commands:
            self.write(command, replied)

    def ask(self, call: LiveCall, leg: LegId, question: Command, take: Callable[[str], None]) -> None:
        """Write a question about a leg; `take` gets the answer, if the call is ours still and the leg is there."""

        def replied(frame: Frame) -> None:
            if call.is_dropped:
                return
            if _is_error(frame):
                self.doubt(call, leg)
                return
            try:
                take(frame.text.strip())
            except Exception as error:
                # A defect of ours in one call must not end the link, from whose reading we are called.
                call.broke(error)

        self._make_sure_of(call)
        self.write(question, replied)

    def originate(self, call: LiveCall, command: Command, job: Token, finished: Callable[[str], None]) -> None:
        """Dial in the background; `finished` gets the result."""
        self._make_sure_of(call)
        self._make_sure()
        self.node.originate(command, job, finished)

    def end(self, leg: LegId, cause: Cause) -> None:
        """End a leg, whoever's it is."""
        self.write(self.writer.end(leg, cause))

    def write(self, command: Command, on_reply: Callable[[Frame], None] = lambda _: None) -> None:
        """Write a command; if the link ends before the reply comes, none does."""
        self._make_sure()
        self.node.send(command, lambda frame: on_reply(frame) if frame is not None else None)

    def doubt(self, call: LiveCall, leg: LegId, cause: Cause = Cause.LOST) -> None:
        """A leg does not seem to be there: see in a while whether that is so, unless it is yet to be dialled."""
        if call.machine.is_alive(leg) and not call.machine.may_come_yet(leg):
            call.start(f"doubt {leg}", lambda: asyncio.create_task(self._make_out(call, leg, cause)))

    async def _make_out(self, call: LiveCall, leg: LegId, cause: Cause) -> None:
        await call.clock.sleep(LOST_LEG_CHECK_S)
        with suppress(LinkLost):
            if await self.node.exists(leg):
                self._end_at_last(call, leg)
            elif not call.is_moved:  # its legs may be on their way here
                call.feed(LegEnded(leg, cause))

    def _end_at_last(self, call: LiveCall, leg: LegId) -> None:
        """Where a leg was to end that the node had only begun to dial, it was told of one that it did not know."""
        asked = next((one.ended_by_us for one in call.machine.living_legs if one.id == leg), None)
        if asked is not None:
            self.send(call, leg, self.writer.end(leg, asked))

    def _make_sure_of(self, call: LiveCall) -> None:
        if call.generation != self.generation:
            raise LinkLost("The links were lost, and it is not known yet what of this call was lost with them.")

    def _make_sure(self) -> None:
        """The links are cut where this refused something: what was not said is found out anew."""
        if not self.pulse.is_sure:
            self.pulse.was_refused = True
            raise LinkLost("Nothing is sent after a sleep before it is known whose calls these are.")


def _is_error(frame: Frame) -> bool:
    return (frame.reply_text or frame.text).startswith("-ERR")
