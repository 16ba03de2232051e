"""What was said and has no answer yet: what a call waits for, and what may have to be said again.

After a change of owner nobody knows what of it went out. Questions to the application are asked again under the same
token; of a burst the leg is asked how much of it reached it (`LookAt`), and the rest is sent. Bursts and interruptions
reach a leg in the order in which they were said, which tells two things more: where a later burst arrived the earlier
ones had, and where the first burst after an interruption did not, the interruption may not have either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from controlplane.base import ids
from controlplane.base.ids import LegId, Token
from controlplane.calls.commands import Burst, Command, FetchDocument, Interrupt, Join, LookAt, TakeInline
from controlplane.calls.events import BurstLooked
from controlplane.calls.runs import Bridge, HangUpLeg, Run, may_be_sent_again

Awaited: TypeAlias = Burst | FetchDocument | TakeInline | Join


@dataclass(slots=True)
class Outstanding:
    """Of one call. Tokens are in the order in which their commands were said."""

    _commands: dict[Token, Awaited] = field(default_factory=dict)
    _broken_off: Interrupt | None = None  # the last, until its leg is known to have had something after it

    def remember(self, command: Command) -> None:
        """Something is said."""
        match command:
            case Burst(_, token) | FetchDocument(token) | TakeInline(token) | Join(_, _, token):
                self._commands.setdefault(token, command)  # what is left of a burst is not all of it
            case Interrupt(leg) if command is not self._broken_off:
                self._broken_off = command
                self._drop(lambda other: _runs_on(other, leg))

    def __contains__(self, token: Token) -> bool:
        return token in self._commands

    @property
    def bursts(self) -> list[Burst]:
        """Those that are not through."""
        return [command for command in self._commands.values() if isinstance(command, Burst)]

    def ends_its_leg(self, token: Token) -> bool:
        """Say whether this is a burst whose end is that of its leg."""
        command = self._commands.get(token)
        return isinstance(command, Burst) and isinstance(command.runs[-1], HangUpLeg)

    def may_dial(self, leg: LegId) -> bool:
        """Say whether a burst that is not through dials this leg."""
        bridges = (run for burst in self.bursts for run in burst.runs if isinstance(run, Bridge))
        return any(branch.leg == leg for bridge in bridges for branch in bridge.branches)

    # Answers

    def answered(self, token: Token) -> Awaited | None:
        """Something is answered: what it was, or None if nobody waits for it."""
        command = self._commands.pop(token, None)
        if isinstance(command, Burst):
            self._had_more(command.leg)
        return command

    def joined(self, one: LegId, other: LegId) -> None:
        """Two legs hear each other."""
        self._had_more(one, other)
        self._drop(lambda command: isinstance(command, Join) and {one, other} <= {command.leg, command.other})

    def ended(self, leg: LegId) -> None:
        """A leg is gone, and whatever was to run there."""
        self._had_more(leg)
        self._drop(lambda command: _runs_on(command, leg))

    def clear(self) -> None:
        """Nothing of it matters any more."""
        self._commands.clear()

    # A change of owner

    def say_again(self) -> Iterator[Command]:
        """What a new owner has to say, in order."""
        if self._broken_off is not None and not any(
            _runs_on(one, self._broken_off.leg) for one in self._commands.values()
        ):
            yield self._broken_off
        for token, command in self._commands.items():
            yield LookAt(command.leg, token) if isinstance(command, Burst) else command

    def begin_anew(self, rewritten: Callable[[Run], Run]) -> tuple[Command, ...]:
        """What is to be said on another node, where nothing of it is known; what may not be said twice is forgotten."""
        self._broken_off = None
        self._drop(lambda one: isinstance(one, Burst) and not may_be_sent_again(one.runs))
        for token, one in self._commands.items():
            if isinstance(one, Burst):
                self._commands[token] = replace(one, runs=tuple(map(rewritten, one.runs)))
        return tuple(self._commands.values())

    def reached(self, looked: BurstLooked) -> bool:
        """Say whether all of a burst reached its leg, and so is through when its leg says so."""
        last_sent, _, left = looked.last_sent.partition("-")
        return ids.is_later(last_sent, looked.token) or (last_sent == looked.token and not left)

    def undialled(self, looked: BurstLooked) -> Burst | None:
        """What is left of a burst that is through, and whose Bridge the leg knows nothing of.

        A link can break inside of what was written to it at once: the mark had arrived, what it speaks of had not.
        """
        burst = self._commands.get(looked.token)
        if not isinstance(burst, Burst) or looked.last_sent != looked.token or looked.outcome.dial_result:
            return None
        first = next((place for place, run in enumerate(burst.runs) if isinstance(run, Bridge)), None)
        return replace(burst, runs=burst.runs[first:]) if first is not None else None

    def rest(self, looked: BurstLooked) -> Iterator[Command]:
        """What of a burst that did not reach its leg, or not all of it, is to be sent."""
        burst = self._commands.get(looked.token)
        if not isinstance(burst, Burst):
            return
        last_sent, _, left = looked.last_sent.partition("-")
        if last_sent == looked.token:
            yield replace(burst, runs=burst.runs[-int(left) :])
            return
        is_first = next(one for one in self.bursts if one.leg == burst.leg) is burst
        if is_first and self._broken_off is not None and self._broken_off.leg == burst.leg:
            yield self._broken_off
        yield burst

    def _had_more(self, *legs: LegId) -> None:
        """These legs had something after an interruption, or will have nothing more."""
        if self._broken_off is not None and self._broken_off.leg in legs:
            self._broken_off = None

    def _drop(self, is_over: Callable[[Awaited], bool]) -> None:
        self._commands = {token: one for token, one in self._commands.items() if not is_over(one)}


def _runs_on(command: Awaited, leg: LegId) -> bool:
    match command:
        case Burst(runs_on):
            return runs_on == leg
        case Join(one, other):
            return leg in (one, other)
        case _:
            return False
