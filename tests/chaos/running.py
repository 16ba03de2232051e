"""A run under way: its load, its marked call, what befell it when, how soon somebody else went on with that call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.brokers import Broker
from tests.chaos.commands import Commands
from tests.chaos.flows import Planned
from tests.chaos.points import Point, leg_offered
from tests.chaos.programs import Program
from tests.chaos.proxy import Kind, Message
from tests.chaos.site import SERVERS, Site
from tests.chaos.windows import Windows, excused_until_s

POINT_WITHIN_S = 30.0
LOOK_S, LOOK_AT_DATABASE_S = 0.01, 0.2
AFTER_S = 1.0  # between the end of all excuses and those who call last

Seen = Callable[[], Awaitable[bool]]


@dataclass(slots=True)
class Run:
    """One run. `is_long` says whether faults last as long as the plan has it, or a few seconds."""

    name: str
    number: int
    site: Site
    folder: Path
    load: list[Planned]
    marked: Planned
    is_long: bool
    begins_at_s: float
    fault_at_s: float | None = None
    killed_at_s: float | None = None  # when the marked call's server was, if that came later than the fault
    healed_at_s: float | None = None
    recovered_s: float | None = None  # how long the platform took to be whole again
    dead_nodes: list[str] = field(default_factory=list)
    windows: Windows = field(default_factory=Windows)
    notes: list[str] = field(default_factory=list)
    marked_leg: str = ""
    driver: str = ""  # the call server that had the marked call when it began
    takeover_at_s: float | None = None
    spoken_of_at_s: float = 0.0  # when a call server last spoke of the marked call
    commands: Commands = field(default_factory=Commands)
    is_whole: asyncio.Event = field(default_factory=asyncio.Event)  # healed: who calls from `last_at_s` on is served
    _was_over: bool = False
    _begun: asyncio.Event = field(default_factory=asyncio.Event)

    def lasting_s(self, short_s: float, long_s: float = 60.0) -> float:
        """Say how long a fault lasts in this run."""
        return long_s if self.is_long else short_s

    @property
    def broker(self) -> Broker:
        """The worker's, in a run with a fault that wants one."""
        assert self.site.broker is not None, "a run with this fault has one"
        return self.site.broker

    def watch(self) -> None:
        """Learn which channel the marked call is, and who speaks of it after the fault."""
        self.site.proxy.watchers += [self._watch, self.commands.watch]

    def watch_no_more(self) -> None:
        self.site.proxy.watchers.clear()
        self.site.receiver.while_answering = None

    def _watch(self, message: Message) -> bool:
        lost_at_s = self.killed_at_s or self.fault_at_s
        if not self.marked_leg:
            self.marked_leg = leg_offered(message, self.marked.caller)
            if self.marked_leg:
                self.driver = message.server
                self._begun.set()
        elif lost_at_s is not None and not message.is_from_node and message.frame.tells(self.marked_leg):
            self.spoken_of_at_s = message.at_s
            is_new = message.server != self.driver or message.line_since_s > lost_at_s
            if is_new and self.takeover_at_s is None:
                self.takeover_at_s = message.at_s
        return True

    @property
    def driving(self) -> Program:
        """The call server of the marked call."""
        return self.site.programs[self.driver]

    @property
    def last_at_s(self) -> float:
        """When those call who show that the platform is whole: behind every excuse, and behind everybody else."""
        ends_s = max(self.windows.end_s, self.healed_at_s or 0.0)
        return max(ends_s + AFTER_S, self.begins_at_s + max(one.at_s for one in self.load))

    def strike(self) -> float:
        """The fault happens now."""
        self.fault_at_s = time.time()
        return self.fault_at_s

    def heal(self) -> None:
        """Everything that was taken away is there again, and every window is known."""
        self.healed_at_s = time.time()
        self.is_whole.set()

    def kill_driver(self) -> float:
        """End the marked call's server, which is the fault, or comes on top of it."""
        at_s = self.lose_driver()
        self.driving.kill()
        return at_s

    def lose_driver(self) -> float:
        """Who drives the marked call dies now: what counts is who speaks of it from now on."""
        self.takeover_at_s, self.killed_at_s = None, time.time()
        self.fault_at_s = self.fault_at_s or self.killed_at_s
        return self.killed_at_s

    async def until_under_way(self, after_s: float = 0.0) -> None:
        """Wait until the marked call was offered, and a while longer. Raises TimeoutError."""
        async with asyncio.timeout(POINT_WITHIN_S):
            await self._begun.wait()
        await asyncio.sleep(after_s)

    async def recover(self, seen: Seen, since_s: float, within_s: float, what: str) -> float:
        """Wait until something is seen that has to be so soon after a time; a note is made of it if it is not.

        Answers when whatever is excused until then ends.
        """
        latest_s = since_s + within_s
        while not (is_seen := await seen()) and time.time() < latest_s:
            await asyncio.sleep(LOOK_S)  # other processes have to do it
        now_s = time.time()
        if not is_seen or now_s > latest_s + LOOK_AT_DATABASE_S:
            self.notes.append(f"{what}: not within {within_s:g} s")
        self.recovered_s = round(now_s - since_s, 3)
        # A marked call that is over does not tell when others were taken over.
        return excused_until_s(latest_s if self._was_over else now_s, since_s, within_s)

    async def recover_with(self, *started: Program, since_s: float, within_s: float, what: str) -> float:
        """Start what a supervisor would start; the rest as `recover`, until somebody speaks of the marked call."""
        recovering = asyncio.create_task(self.recover(self.taken_over(), since_s, within_s, what))
        await asyncio.gather(*(program.start() for program in started), recovering)
        return recovering.result()

    def taken_over(self) -> Seen:
        """Look whether somebody else speaks of the marked call; of one that is over nobody has to."""
        return self._marked(lambda: self.takeover_at_s is not None)

    def driven(self, since_s: float) -> Seen:
        """Look whether anybody speaks of the marked call since a time, as above."""
        return self._marked(lambda: self.spoken_of_at_s > since_s)

    def _marked(self, is_spoken_of: Callable[[], bool]) -> Seen:
        looked_s = 0.0

        async def seen() -> bool:
            nonlocal looked_s
            if is_spoken_of() or time.time() - looked_s < LOOK_AT_DATABASE_S:
                return is_spoken_of()
            looked_s = time.time()
            self._was_over = await self._is_marked_over()
            return self._was_over

        return seen

    async def _is_marked_over(self) -> bool:
        with suppress(psycopg.OperationalError):
            found = await self.site.database.rows("SELECT ended_at FROM calls WHERE call_id = %s", self.marked_leg)
            return any(ended_at is not None for (ended_at,) in found)
        return False

    def linked(self, since_s: float, *servers: str) -> Seen:
        """Look whether call servers (or all that run) have links of both kinds that are good, opened since a time."""
        names = servers or tuple(name for name in SERVERS if self.site.programs[name].is_running)

        async def seen() -> bool:
            return all(
                any(line.since_s >= since_s for line in self.site.proxy.lines_of(name, kind))
                for name in names
                for kind in (Kind.EVENTS, Kind.COMMANDS)
            )

        return seen

    async def kill_at(self, point: Point) -> None:
        """Kill the marked call's server at a point of the call's life. Raises TimeoutError if it never comes there."""
        reached = asyncio.Event()
        after_s = point.after_s_in(self.number)

        def watch(message: Message) -> bool:
            if reached.is_set() or not self.marked_leg or point.match is None:
                return True
            if not point.match(message, self.marked_leg):
                return True
            reached.set()
            if after_s:
                asyncio.get_running_loop().call_later(after_s, self.kill_driver)
            else:
                self.kill_driver()
            return point.goes_on

        async def asked(path: str, parameters: Mapping[str, Any]) -> None:
            if point.match is None and parameters.get("From") == self.marked.caller and not reached.is_set():
                reached.set()
                self.kill_driver()

        self.site.proxy.watchers.append(watch)
        self.site.receiver.while_answering = asked
        async with asyncio.timeout(POINT_WITHIN_S):
            await reached.wait()
            while self.killed_at_s is None:  # a timer of ours sets it
                await asyncio.sleep(LOOK_S)
