"""A media node as a call server has it: an event link, a command link, and what holds them up.

Two links, because FreeSWITCH sends all queued events of a connection before it reads the next command from it. Both are
pinged (`pinging.py`), which tells how late they are and ends them when they are too late.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from controlplane.base.clock import Clock
from controlplane.base.ids import CALL, LegId, is_channel_uuid
from controlplane.esl import apis, commands
from controlplane.esl.commands import Command, EslEventName
from controlplane.esl.frames import EslEvent, ExactHeaders, Frame
from controlplane.switch.link import LOGIN_TIMEOUT_S, Connect, Link, LinkLost, LinkRefused
from controlplane.switch.listing import Channel, channels_of
from controlplane.switch.pinging import MOST_LOOKS_AT_COMMANDS, Pinger
from controlplane.switch.terms import TERMS
from controlplane.switch.translation import SUBSCRIBED, News, translate
from controlplane.switch.writing import STEP

# FreeSWITCH copies and sends 6 KB for every application that ends, in call threads' time. Nothing follows from the end
# of what the door's dialplan runs, nor from any part of a burst but the last.
KEPT_BACK = (
    *(commands.see_no_application(name) for name in ("set", "sched_hangup", "park")),
    commands.see_no_step(STEP),
)


@dataclass(slots=True)
class Node:
    """The links to one media node. `on_news` and `on_end` are called from the links' own reading: they may not wait."""

    name: str
    connect: Connect
    password: str
    clock: Clock
    on_news: Callable[[News], None]
    on_end: Callable[[str], None]
    core_uuid: str = ""
    events_seen: int = 0
    _shards: frozenset[int] = frozenset()
    _events: Link | None = None
    _commands: Link | None = None
    _jobs: dict[str, Callable[[str], None]] = field(default_factory=dict)
    _pingers: tuple[Pinger, ...] = ()
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def delay_s(self) -> float:
        """How late the later of the two links is; 0.0 where none is up."""
        return max((pinger.delay_s for pinger in self._pingers), default=0.0)

    @property
    def is_up(self) -> bool:
        """Say whether `open` is through, and both links are there since."""
        return bool(self._pingers) and all(pinger.link.is_up for pinger in self._pingers)

    async def open(self, shards: frozenset[int]) -> None:
        """Connect both links and subscribe to the shards' events. Raises LinkLost."""
        await self._close_links("reopened")
        try:
            self._commands = await self._log_in(self._on_job)
            self._events = await self._log_in(self._on_event)
        except ConnectionRefusedError as error:
            raise LinkRefused(None, node=self.name) from error
        except OSError as error:
            raise LinkLost("The media node's event socket does not answer.", node=self.name, why=str(error)) from error
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT_S):  # nobody pings yet
                await self._set_up(self._commands, self._events, shards)
        except TimeoutError:
            self.abort("no answer")
            raise LinkLost("The media node's event socket does not answer.", node=self.name) from None
        self._pingers = (
            Pinger(self._events, self.clock),
            Pinger(self._commands, self.clock, MOST_LOOKS_AT_COMMANDS),
        )
        self._tasks = [asyncio.create_task(pinger.run()) for pinger in self._pingers]

    async def _set_up(self, command_link: Link, event_link: Link, shards: frozenset[int]) -> None:
        self.core_uuid = (await command_link.ask(apis.core_uuid())).text.strip()
        if not is_channel_uuid(self.core_uuid):
            self.abort("no Core-UUID")
            raise LinkLost("The media node does not say which run of FreeSWITCH it is.", node=self.name)
        for setting in TERMS:
            await command_link.ask(apis.global_setvar(setting))
        await command_link.ask(commands.see_only_jobs(CALL))
        await command_link.ask(commands.subscribe((EslEventName.BACKGROUND_JOB,)))
        self._shards = frozenset()
        for keep_back in KEPT_BACK:
            await event_link.ask(keep_back)
        await self.watch(shards)

    async def watch(self, shards: frozenset[int]) -> None:
        """See the events of these shards, and of no others. Raises LinkLost."""
        if self._events is None:
            raise LinkLost(None, node=self.name)
        if shards == self._shards:
            return
        # The new filter goes in before the old one goes: nothing that is watched all along may be missed.
        if shards:
            await self._events.ask(commands.see_only_shards(shards))
        if self._shards:
            await self._events.ask(commands.see_shards_no_more(self._shards))
        if shards and not self._shards:
            await self._events.ask(commands.subscribe(SUBSCRIBED))
        if not shards:
            await self._events.ask(commands.see_no_events())
        self._shards = shards

    async def close(self) -> None:
        """Leave the node; its calls go on."""
        self.on_end = lambda _: None
        await self._close_links("closed by us")

    def send(self, command: Command, on_reply: Callable[[Any], None] | None = None) -> None:
        """Write a command; the reply, or None if the link ends first, goes to `on_reply`. Raises LinkLost."""
        if self._commands is None:
            raise LinkLost(None, node=self.name)
        self._commands.send(command, on_reply)

    def originate(self, command: Command, job: str, on_answer: Callable[[str], None]) -> None:
        """Dial in the background; `on_answer` gets the job's result. Raises LinkLost."""
        self._jobs[job] = on_answer
        self.send(command)

    def take_count(self) -> int:
        """How many events came since this was last asked."""
        seen, self.events_seen = self.events_seen, 0
        return seen

    def kick(self) -> None:
        """Have waiting events sent now."""
        if self._events is not None:
            self._events.kick()

    async def channels(self) -> list[Channel]:
        """Every channel of the node. Raises LinkLost."""
        frame = await self.ask(apis.show_channels())
        try:
            return await channels_of(frame.text)
        except ValueError:
            raise self._cannot_read() from None

    async def look_up(self, leg: LegId) -> News | None:
        """What a parked channel would have said when it was parked; None if it is not. Raises LinkLost."""
        values = await self._all_of(leg)
        if values.get("variable_current_application") != "park":
            return None
        return translate(EslEvent(ExactHeaders({**values, "Event-Name": "CHANNEL_PARK"})))

    async def answered_ago_ms(self, leg: LegId) -> int | None:
        """How long ago a channel was answered, by the node's own clock; None if it was not. Raises LinkLost."""
        values = await self._all_of(leg)
        now_us, answered_us = (
            values.get(name, "") for name in ("Event-Date-Timestamp", "Caller-Channel-Answered-Time")
        )
        if not (now_us.isdecimal() and answered_us.isdecimal() and int(answered_us)):
            return None
        return max(0, int(now_us) - int(answered_us)) // 1000

    async def partner_of(self, leg: LegId) -> LegId | None:
        """Whom a channel hears, None if nobody: the variable is gone when they part. Raises LinkLost."""
        value = (await self.ask(apis.uuid_getvar(leg, "bridge_to"))).text.strip()
        return LegId(value) if is_channel_uuid(value) else None

    async def _all_of(self, leg: LegId) -> dict[str, str]:
        """Everything that a channel says of itself; nothing if there is none. Raises LinkLost."""
        frame = await self.ask(apis.uuid_dump(leg))
        if not frame.text.startswith("{"):
            return {}
        return {str(name): str(value) for name, value in self._json_of(frame).items()}

    def _json_of(self, frame: Frame) -> dict[str, Any]:
        try:
            answer = json.loads(frame.text or "{}")
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self._cannot_read()
        return answer

    def _cannot_read(self) -> LinkLost:
        self.abort("an answer that is no JSON object")
        return LinkLost("The media node gives an answer that cannot be read.", node=self.name)

    async def ask(self, command: Command) -> Frame:
        """The reply to a command. Raises LinkLost."""
        if self._commands is None:
            raise LinkLost(None, node=self.name)
        return await self._commands.ask(command)

    async def exists(self, leg: LegId) -> bool:
        """Ask whether a channel lives. Raises LinkLost."""
        return (await self.ask(apis.uuid_exists(leg))).text.strip() == "true"

    async def is_marked(self, leg: LegId) -> bool:
        """Ask whether a channel was dialled for a call of ours. Raises LinkLost."""
        value = (await self.ask(apis.uuid_getvar(leg, "callplane_call"))).text.strip()
        return not value.startswith("-ERR") and value not in ("", "_undef_")

    def abort(self, why: str) -> None:
        """Drop both links at once; `on_end` follows."""
        for link in (self._events, self._commands):
            if link is not None:
                link.abort(why)

    async def _log_in(self, on_event: Callable[[EslEvent], None]) -> Link:
        link = Link(on_event, self._ended)
        await self.connect(lambda: link)
        await link.log_in(commands.auth(self.password))
        return link

    def _on_event(self, event: EslEvent) -> None:
        self.events_seen += 1
        news = translate(event)
        if news is not None:
            self.on_news(news)

    def _on_job(self, event: EslEvent) -> None:
        job = self._jobs.pop(event.get("Job-UUID") or "", None)
        if job is not None:
            job(event.body)

    def _ended(self, why: str) -> None:
        """One link without the other is no use: both go, and it is told once."""
        tasks, self._tasks, self._pingers = self._tasks, [], ()
        for task in tasks:
            task.cancel()
        was_open = self._commands is not None
        self.abort(why)
        self._jobs.clear()
        if was_open and tasks:
            self.on_end(why)

    async def _close_links(self, why: str) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks, self._pingers = [], ()
        self.abort(why)
        self._events = self._commands = None
