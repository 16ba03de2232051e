"""One live call: its machine, its journal's head, and the commands that wait for their entry to be safe.

Commands go out in the order the machine gave them. Those that do no harm when done twice need not wait for the entry
they came of to be on record, unless one that must wait stands before them.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from controlplane.base.clock import Clock
from controlplane.base.errors import Conflict, Unavailable
from controlplane.base.ids import CallId, LegId, leg_of_call, shard_of
from controlplane.calls.commands import REPEATABLE, WRITTEN, Command
from controlplane.calls.events import Entry, Event, LegEnded
from controlplane.calls.machine import CallMachine
from controlplane.callserver.ports import Journal
from controlplane.callserver.pulse import Pulse

log = logging.getLogger(__name__)


class Carrier(Protocol):
    """Carries commands out: `callserver.effects` on a media node."""

    def carry_out(self, call: LiveCall, command: Command) -> None: ...

    def is_over(self, call: LiveCall) -> None: ...

    def give_up(self, call: LiveCall) -> None: ...

    def was_lost(self) -> None: ...


@dataclass(slots=True)
class LiveCall:
    """A call this process drives. Feed it events; everything else follows."""

    id: CallId
    node: str
    journal: Journal
    clock: Clock
    carrier: Carrier
    pulse: Pulse
    machine: CallMachine = field(default_factory=CallMachine)
    next_seq: int = 0
    held: deque[tuple[asyncio.Future[None], Command]] = field(default_factory=deque)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    questions: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # to the application
    is_dropped: bool = False
    last_ms: int = 0  # of the last entry
    saved: asyncio.Future[None] | None = None  # of the last entry
    fed_s: float = 0.0  # when the last event came, by the monotonic clock
    moves: int = 0  # from a node that died to another
    early: list[Event] = field(default_factory=list)  # what waits until the call has moved
    had_verdict: bool = False  # when we took it over
    generation: int = -1  # of the links on which we went on with it last (outlet.py)
    shard: int = field(init=False)

    def __post_init__(self) -> None:
        self.shard = shard_of(leg_of_call(self.id))

    def feed(self, event: Event) -> None:
        """Put an event on record and do what the machine answers; events that change nothing leave no entry."""
        self.fed_s = self.clock.monotonic_s()
        if self.fed_s > self.pulse.sure_until_s:
            self.pulse.postpone(partial(self.feed, event))
            return
        try:
            if self.is_moved and self.machine.waits_until_moved(event):
                self.early.append(event)
            elif not self.is_dropped and self.machine.concerns(event):
                self._take(event)
                self._take_early()
        except Unavailable as error:
            log.error("call_unrecorded", extra={"call": self.id, "problem": str(error)})
            self._give_up()
        except Exception as error:
            # A defect of ours in one call must not take the others down with it, wherever the event came from.
            self.broke(error)

    def _take(self, event: Event) -> None:
        self.last_ms = max(self.last_ms, self.clock.now_ms())  # the clock may be set back; a journal's never goes back
        entry = Entry(self.next_seq, self.last_ms, event)
        self.next_seq += 1
        commands = self.machine.handle(entry)
        is_urgent = not all(isinstance(command, REPEATABLE) for command in commands)
        self.saved = saved = self.journal.submit(self.machine, entry, commands, is_urgent=is_urgent)
        saved.add_done_callback(self._check)
        for command in commands:
            self._send(command, saved)
        if self.machine.is_over and not self.held:
            self.drop()

    def _take_early(self) -> None:
        """What had to wait has its turn once the call has moved, or has ended."""
        if not self.early or (self.is_moved and self.machine.verdict is None):
            return
        early, self.early = self.early, []
        for event in early:
            self.feed(event)

    def is_ending(self, leg: LegId) -> bool:
        """Say whether it is known, and not on record yet, that a leg did not come along."""
        return any(isinstance(event, LegEnded) and event.leg == leg for event in self.early)

    def replay(self, entries: tuple[Entry, ...]) -> list[Command]:
        """Take over from whoever wrote these; nothing goes out. Answers what that owner was to do."""
        commands: list[Command] = []
        self.generation = -1
        for entry in entries:
            commands += self.machine.handle(entry)
            self.last_ms, self.next_seq = entry.at_ms, entry.seq + 1
        self.had_verdict = self.machine.verdict is not None
        return commands

    @property
    def legs(self) -> tuple[LegId, ...]:
        """Every leg that the call has or had."""
        state = self.machine.state
        return tuple(state.legs) if state is not None else (leg_of_call(self.id),)

    def has_lost(self, leg: LegId) -> bool:
        """Say whether a leg of this call is over, as far as the journal tells."""
        return self.machine.state is not None and not self.machine.is_alive(leg)

    @property
    def is_moved(self) -> bool:
        """Say whether the call is on another node than its journal tells."""
        return self.moves > self.machine.moves

    def drop(self) -> None:
        """Do nothing more for this call: it is over, or another process has it.

        A question that is being put when a call ends is put to its end, its answer ignored: an application is told that
        a Dial or a Record is over also when that is so because the caller left.
        """
        if self.is_dropped:
            return
        self.is_dropped = True
        self.held.clear()
        for task in [*self.tasks.values(), *(() if self.machine.is_over else self.questions.values())]:
            task.cancel()
        self.carrier.is_over(self)

    def start(self, name: str, work: Callable[[], asyncio.Task[None]]) -> None:
        """Run something beside the call, once under each name, until it ends or the call is dropped."""
        if name in self.tasks:
            return
        task = work()
        self.tasks[name] = task
        task.add_done_callback(lambda done: self._done(self.tasks, name, done))

    def _done(self, tasks: dict[str, asyncio.Task[None]], name: str, task: asyncio.Task[None]) -> None:
        if tasks.get(name) is task:
            del tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broke(error)

    def ask(self, token: str, work: Callable[[], asyncio.Task[None]]) -> asyncio.Task[None]:
        """Put a question to the application, once under each token; what is under way for it is answered."""
        if token not in self.questions:
            self.questions[token] = work()
            self.questions[token].add_done_callback(lambda done: self._done(self.questions, token, done))
        return self.questions[token]

    def broke(self, error: BaseException) -> None:
        """Something of ours failed that never should, and the call would wait for it for ever."""
        log.error("call_broke", extra={"call": self.id}, exc_info=error)
        if not self.is_dropped:
            self._give_up()

    def _give_up(self) -> None:
        """Rather an end than a caller who hears nothing until the longest duration is over."""
        self.carrier.give_up(self)
        self.drop()

    def _check(self, saved: asyncio.Future[None]) -> None:
        """An entry that cannot be kept ends our part in the call: another process writes its journal now.

        One that can never be kept, whoever tries, ends the call itself.
        """
        if saved.cancelled() or (error := saved.exception()) is None or self.is_dropped:
            return
        if isinstance(error, Conflict | Unavailable):
            log.warning("call_lost", extra={"call": self.id, "problem": str(error)})
            self.drop()
        else:
            self.broke(error)
        self.carrier.was_lost()

    def _send(self, command: Command, saved: asyncio.Future[None]) -> None:
        if isinstance(command, WRITTEN):
            return
        if not self.held and (saved.done() or isinstance(command, REPEATABLE)):
            self.carrier.carry_out(self, command)
            return
        self.held.append((saved, command))
        if len(self.held) == 1:
            saved.add_done_callback(self._release)

    def _release(self, saved: asyncio.Future[None]) -> None:
        if not self.pulse.is_sure:
            self.pulse.postpone(partial(self._release, saved))
            return
        try:
            self._carry_out_what_is_safe()
        except Exception as error:
            self.broke(error)

    def _carry_out_what_is_safe(self) -> None:
        while self.held and not self.is_dropped:
            saved, command = self.held[0]
            if not saved.done():
                saved.add_done_callback(self._release)
                return
            self.held.popleft()
            if saved.cancelled() or saved.exception() is not None:
                return
            self.carrier.carry_out(self, command)
        if self.machine.is_over:
            self.drop()
