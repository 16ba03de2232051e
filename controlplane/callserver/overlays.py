"""Audio that is played over what legs hear, and the keys that end it.

Keys are not in the journal, and what is played over a leg does not wait for its turn there; so which file a key ends is
known to whoever had it played, and to a later owner of the call by what was asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from controlplane.base.ids import LegId
from controlplane.calls.commands import Command, PlayOver
from controlplane.calls.events import PromptFailed
from controlplane.callserver.call import LiveCall
from controlplane.callserver.outlet import Outlet
from controlplane.callserver.ports import PromptFailedError, Prompts
from controlplane.esl.commands import Command as EslCommand
from controlplane.switch.link import LinkLost
from controlplane.verbs.documents import Play


@dataclass(slots=True)
class Overlays:
    """Of one node."""

    outlet: Outlet
    prompts: Prompts
    _stops: dict[LegId, list[EslCommand]] = field(default_factory=dict)  # what a key there has us say
    _older: dict[LegId, list[PlayOver]] = field(default_factory=dict)  # begun by an owner before us

    def play(self, call: LiveCall, command: PlayOver) -> None:
        """Play a file over a leg as soon as it lies on the node."""
        call.start(f"play {command.token}", lambda: asyncio.create_task(self._play(call, command)))

    def found(self, commands: Iterable[Command]) -> None:
        """An owner before us was to do this: what of it a key ends may still be heard."""
        for command in commands:
            if isinstance(command, PlayOver) and command.stops_on_digit:
                self._older.setdefault(command.leg, []).append(command)

    def pressed(self, call: LiveCall, leg: LegId) -> None:
        """A key was pressed there, which ends what was played over the leg."""
        stops = self._stops.pop(leg, None)
        if stops is not None:
            with suppress(LinkLost):
                self.outlet.send(call, leg, *stops)
        for command in self._older.pop(leg, ()):
            call.start(f"stop {command.token}", partial(self._begin_to_stop, call, command))

    def ended(self, leg: LegId) -> None:
        """A leg is gone, or somebody else's."""
        self._stops.pop(leg, None)
        self._older.pop(leg, None)

    async def _play(self, call: LiveCall, command: PlayOver) -> None:
        try:
            play, stop = await self._written(call, command)
            self.outlet.send(call, command.leg, play)
            if command.stops_on_digit:
                self._stops.setdefault(command.leg, []).append(stop)
        except PromptFailedError as error:
            call.feed(PromptFailed(command.token, command.url, error.problem, error.code))
        except LinkLost:
            return

    def _begin_to_stop(self, call: LiveCall, command: PlayOver) -> asyncio.Task[None]:
        return asyncio.create_task(self._stop(call, command))

    async def _stop(self, call: LiveCall, command: PlayOver) -> None:
        with suppress(PromptFailedError, LinkLost):  # then there is nothing to stop, or nobody to tell
            _, stop = await self._written(call, command)
            self.outlet.send(call, command.leg, stop)

    async def _written(self, call: LiveCall, command: PlayOver) -> tuple[EslCommand, EslCommand]:
        sound = await self.prompts.make_sound(call.node, Play(command.url))
        return self.outlet.writer.play_over(command.leg, sound, command.loop)
