"""A run under way: its load, its marked call, what befell it when, how soon somebody else went on with that call."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from tests.chaos.commands import Commands
from tests.chaos.flows import Planned
from tests.chaos.points import Point, leg_offered
from tests.chaos.programs import Program
from tests.chaos.proxy import Message
from tests.chaos.site import Site

POINT_WITHIN_S = 30.0
UNREAD_S = 0.5  # what came so shortly before a fault may not have been put on record
WRITES_AGAIN_S = 1.0  # how soon the API finds that its database is back
TAKES_OVER_S = 2.0  # how soon after the marked call all others have their new server, too
RECONNECTS_S = 6.0  # the longest pause before a call server tries a node again, and a little


class Was(Enum):
    """How it was while a fault lasted."""

    TAKEN_OVER = "taken over"  # nobody listened to some calls of the node until another server did
    UNSEEN = "unseen"  # nobody listened to them until links were open again
    NOBODY_THERE = "nobody there"  # and nobody could claim new ones
    UNWRITABLE = "unwritable"  # the API was away, or its database
    SPEECHLESS = "speechless"  # the application could not be asked, or nothing was kept of what it said


@dataclass(slots=True)
class Run:
    """One run. `is_long` says whether faults last as long as the plan has it, or a few seconds."""

    name: str
    site: Site
    folder: Path
    load: list[Planned]
    marked: Planned
    is_long: bool
    begins_at_s: float
    fault_at_s: float | None = None
    healed_at_s: float | None = None
    dead_nodes: list[str] = field(default_factory=list)
    unavailable: list[tuple[float, float]] = field(default_factory=list)
    unseen: list[tuple[float, float]] = field(default_factory=list)
    unwritable: list[tuple[float, float]] = field(default_factory=list)
    speechless: list[tuple[float, float]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    marked_leg: str = ""
    driver: str = ""  # the call server that had the marked call when it began
    takeover_at_s: float | None = None
    commands: Commands = field(default_factory=Commands)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)

    def watch(self) -> None:
        """Learn which channel the marked call is, and who speaks of it after the fault."""
        self.site.proxy.watchers += [self._watch, self.commands.watch]

    def watch_no_more(self) -> None:
        self.site.proxy.watchers.clear()
        self.site.receiver.while_answering = None

    def _watch(self, message: Message) -> bool:
        if not self.marked_leg:
            self.marked_leg = leg_offered(message, self.marked.caller)
            if self.marked_leg:
                self.driver = message.server
                self._begun.set()
        elif self.fault_at_s is not None and self.takeover_at_s is None and not message.is_from_node:
            is_new = message.server != self.driver or message.line_since_s > self.fault_at_s
            if is_new and message.frame.tells(self.marked_leg):
                self.takeover_at_s = message.at_s
        return True

    @property
    def driving(self) -> Program:
        """The call server of the marked call."""
        return self.site.programs[self.driver]

    def strike(self) -> None:
        """The fault happens now."""
        self.fault_at_s = time.time()

    def heal(self, *was: Was) -> None:
        """Everything is there again."""
        self.healed_at_s = max(time.time(), self.takeover_at_s or 0.0)
        fault_at_s = self.fault_at_s or self.healed_at_s
        if Was.NOBODY_THERE in was:
            self.unavailable.append((fault_at_s, self.healed_at_s + RECONNECTS_S))
        if Was.UNWRITABLE in was:
            self.unwritable.append((fault_at_s, self.healed_at_s + WRITES_AGAIN_S))
        if Was.SPEECHLESS in was:
            self.speechless.append((fault_at_s, self.healed_at_s))
        if Was.UNSEEN in was or Was.NOBODY_THERE in was:
            self.unseen.append((fault_at_s - UNREAD_S, self.healed_at_s + RECONNECTS_S))
        elif Was.TAKEN_OVER in was:
            self.unseen.append((fault_at_s - UNREAD_S, self.healed_at_s + TAKES_OVER_S))

    def kill_driver(self) -> None:
        """End the marked call's server."""
        self.strike()
        self.driving.kill()

    async def until_under_way(self, after_s: float = 0.0) -> None:
        """Wait until the marked call was offered, and a while longer. Raises TimeoutError."""
        async with asyncio.timeout(POINT_WITHIN_S):
            await self._begun.wait()
        await asyncio.sleep(after_s)

    async def until_taken_over(self, within_s: float = 15.0) -> None:
        """Wait until somebody else speaks of the marked call; of one that is over nobody may have to."""
        until_s = time.monotonic() + within_s
        while self.takeover_at_s is None and time.monotonic() < until_s:
            await asyncio.sleep(0.01)  # another process takes over

    async def kill_at(self, point: Point) -> None:
        """Kill the marked call's server at a point of the call's life. Raises TimeoutError if it never comes there."""
        reached = asyncio.Event()

        def watch(message: Message) -> bool:
            if reached.is_set() or not self.marked_leg or point.match is None:
                return True
            if not point.match(message, self.marked_leg):
                return True
            reached.set()
            if point.after_s:
                asyncio.get_running_loop().call_later(point.after_s, self.kill_driver)
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
            while self.fault_at_s is None:  # a timer of ours sets it
                await asyncio.sleep(0.01)
