"""The node: channels, scheduled tasks, links, and who hears what."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from controlplane.emulator.apps import APPS
from controlplane.emulator.channel import Channel, Message
from controlplane.emulator.clock import Timer, Timers
from controlplane.emulator.detail import Recorder, detail_of
from controlplane.emulator.events import Block, Event, fired_at, lines_of
from controlplane.emulator.fibers import Fiber
from controlplane.emulator.life import live
from controlplane.emulator.profiles import Profile, sip_variables
from controlplane.emulator.records import CallRecord, record_of
from controlplane.emulator.recovery import LeftLeg, track
from controlplane.emulator.rules import Door, Races
from controlplane.emulator.schedule import Schedule
from controlplane.emulator.signalling import far_end_refuses
from controlplane.emulator.texts import RELEASE, uptime_text
from controlplane.emulator.thread import App, execute

if TYPE_CHECKING:
    from controlplane.emulator.listener import Listener

_HEARTBEAT_MS = 20_000


# Takes an INVITE of ours: the leg, and the names under which its party may be known.
FarEnds = Callable[[Channel, list[str]], None]

# Applications that end at once, and so may run in the thread that answers a channel.
_INSTANT = frozenset({"set", "multiset", "unset", "sched_hangup", "record_session", "stop_record_session", "send_dtmf"})


def _nobody(leg: Channel, _names: list[str]) -> None:
    leg.node.clock.call_at_ms(leg.next_frame_ms(), lambda: far_end_refuses(leg, 404))


class Node:
    """A media node that is not there."""

    def __init__(
        self, clock: Timers, *, seed: int = 0, name: str = "fs1", door: Door | None = None, races: Races | None = None,
        recorder: Recorder | None = None,
    ) -> None:  # fmt: skip
        self.clock: Timers = clock
        self.name: str = name
        self.door, self.races = door or Door(), races or Races()
        self.apps: Mapping[str, App] = APPS
        self.channels: dict[str, Channel] = {}
        self.schedule = Schedule(clock)
        self.records: list[CallRecord] = []
        self.listeners: list[Listener] = []
        self._random = random.Random(seed)  # noqa: S311
        self.sessions = self._sequence = 0
        self.far_ends: FarEnds = _nobody
        self.gateways: frozenset[str] | None = None  # None: every gateway is known
        self.unlisted: set[str] = set()  # channels that `show channels` does not have yet
        self.list_lag_ms = 0  # how long `show channels` knows nothing of an answer
        self._recorder = recorder
        self.left: dict[str, LeftLeg] | None = None  # what others could bring up, {} to keep it
        self.is_dead = self.is_paused = False  # paused: it refuses new legs
        self._wanted: frozenset[str] = frozenset()
        self._second = (-1, b"")
        self._heartbeat: Timer | None = None
        self._begin()

    def _begin(self) -> None:
        self.globals: dict[str, str] = {}
        self.core_uuid = self.make_uuid()
        self.began_ms = self.clock.monotonic_ms()
        pairs = (
            ("Core-UUID", self.core_uuid), ("FreeSWITCH-Hostname", self.name), ("FreeSWITCH-Switchname", self.name),
            ("FreeSWITCH-IPv4", "192.0.2.2"), ("FreeSWITCH-IPv6", "fd00::2"),
        )  # fmt: skip
        self._prefix = lines_of(pairs)

    def restart(self) -> None:
        """Die and come back: channels and links are gone without a word, and the core's UUID is another."""
        self.die()
        self.is_dead = False
        self._begin()

    def die(self) -> None:
        """Be killed: audio stops, channels and links are gone without a word; nobody answers any more."""
        self.is_dead = True
        for channel in list(self.channels.values()):
            if channel.fiber is not None:
                channel.fiber.stop()
            channel.hears.begin(None, self.clock.monotonic_ms())
        self.channels.clear()
        self.schedule.clear()
        for listener in list(self.listeners):
            listener.cut()

    def track(self, channel: Channel) -> None:
        """Keep what another node would need of a channel, where this one does (`left`)."""
        track(channel)

    def make_uuid(self) -> str:
        """A UUID of version 4, the same ones for the same seed."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def now_us(self) -> int:
        """Microseconds since the epoch."""
        return self.clock.now_ms() * 1000

    # Channels

    def ring(
        self, caller: str, dialled: str, *, uuid: str | None = None, caller_name: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Channel:  # fmt: skip
        """A call comes in: an INVITE for `dialled`. `headers` are channel variables (`sip_h_X-…`)."""
        uuid = uuid or self.make_uuid()
        profile = Profile(
            uuid=uuid, direction="inbound", channel_name=f"sofia/internal/{caller}@127.0.0.1", destination=dialled,
            cid_number=caller, cid_name=caller_name or caller, orig_cid_number=caller,
            orig_cid_name=caller_name or caller, username=caller, ani=caller,
        )  # fmt: skip
        channel = self.create(profile, dict(headers or {}))
        channel.extension.extend(self.door.actions())
        self.start(channel)
        if self.is_paused:
            channel.hang_up("SWITCH_CONGESTION")
        return channel

    def create(self, profile: Profile, variables: Mapping[str, str]) -> Channel:
        """Make a channel; `start` lets it live."""
        self.sessions += 1
        profile.times.created = profile.times.profile_created = self.now_us()
        call_id = str(UUID(int=self._random.getrandbits(128), version=1))
        channel = Channel(self, profile, sip_variables(profile, self.sessions, call_id) | dict(variables))
        self.channels[profile.uuid] = channel
        return channel

    def start(self, channel: Channel) -> None:
        """Let a channel's thread run."""
        channel.fiber = Fiber(self.clock, lambda: live(channel))
        channel.wake_now()

    def invite(self, leg: Channel, names: list[str]) -> None:
        """Let the far end of a leg that we dial hear of it, at the next frame of its thread."""
        self.clock.call_at_ms(self.clock.monotonic_ms(), lambda: self.far_ends(leg, names))

    def on_answer(self, channel: Channel) -> None:
        """A channel was answered: run what `execute_on_answer` asks for, before anything else does."""
        self.track(channel)
        for name, value in channel.variables.items():
            if not name.startswith("execute_on_answer"):
                continue
            app, _, data = value.partition(" ")
            if app in _INSTANT:
                _run_at_once(execute(channel, app, data))
            else:
                channel.send(Message(app, data))

    def report(self, channel: Channel) -> None:
        """A channel is about to tell of its end: whoever keeps call records gets the one of this leg."""
        if self._recorder is not None:
            self._recorder(detail_of(channel))

    def forget(self, channel: Channel) -> None:
        """A channel has ended: keep what is left of it."""
        self.channels.pop(channel.uuid, None)
        if self.left is not None:
            self.left.pop(channel.uuid, None)
        self.schedule.drop(channel.uuid)
        self.records.append(record_of(channel))
        channel.changed()

    # Scheduled tasks

    def hang_up_in(self, channel: Channel, in_s: int, cause: str) -> None:
        """sched_hangup: end a channel after a time, unless that is unscheduled before."""
        self.schedule.add(channel.uuid, "switch_ivr_schedule_hangup", in_s, lambda: channel.hang_up(cause))

    # Events

    def is_wanted(self, name: str) -> bool:
        """Say whether any link may want events of this name."""
        return name in self._wanted

    def skip_event(self) -> None:
        """Count an event that nobody wants."""
        self._sequence += 1

    def publish(self, name: str, uuid: str, blocks: tuple[Block, ...], body: str = "") -> None:
        """Fire an event: every link that wants it gets it queued, in this order."""
        self._sequence += 1
        event = Event(name, uuid, self._head(name), blocks, body)
        for listener in tuple(self.listeners):
            listener.offer(event)

    def fire(self, name: str, pairs: tuple[tuple[str, str], ...], body: str = "") -> None:
        """Fire an event that belongs to no channel."""
        if self.is_wanted(name):
            self.publish(name, "", (Block(pairs),), body)
        else:
            self.skip_event()

    def _head(self, name: str) -> bytes:
        now_ms = self.clock.now_ms()
        if self._second[0] != now_ms // 1000:
            at = datetime.fromtimestamp(now_ms // 1000, UTC)
            dates = (
                ("Event-Date-Local", at.strftime("%Y-%m-%d %H:%M:%S")),
                ("Event-Date-GMT", at.strftime("%a, %d %b %Y %H:%M:%S GMT")),
            )
            self._second = (now_ms // 1000, lines_of(dates))
        tail = f"Event-Date-Timestamp: {now_ms}000\n{fired_at(name)}Event-Sequence: {self._sequence}\n"
        return b"Event-Name: %b\n%b%b%b" % (name.encode(), self._prefix, self._second[1], tail.encode())

    # Links

    def attach(self, listener: Listener) -> None:
        """A link was opened."""
        self.listeners.append(listener)

    def detach(self, listener: Listener) -> None:
        """A link is gone; calls go on."""
        if listener in self.listeners:
            self.listeners.remove(listener)
        self.subscriptions_changed()

    def subscriptions_changed(self) -> None:
        """Some link wants other events than before."""
        names: set[str] = set()
        for listener in self.listeners:
            names |= listener.subscription.names
        self._wanted = frozenset(names)
        if "HEARTBEAT" in names and self._heartbeat is None:
            self._heartbeat = self.clock.call_at_ms(self.clock.monotonic_ms() + _HEARTBEAT_MS, self._beat)

    def _beat(self) -> None:
        self._heartbeat = None
        if not self.is_wanted("HEARTBEAT"):
            return
        uptime_ms = self.clock.monotonic_ms() - self.began_ms
        count = len(self.channels)
        pairs = {
            "Event-Info": "System Ready", "Up-Time": uptime_text(uptime_ms),
            "FreeSWITCH-Version": RELEASE,
            "Uptime-msec": str(uptime_ms), "Session-Count": str(count), "Max-Sessions": "5000",
            "Session-Per-Sec": "1000", "Session-Per-Sec-Last": "0", "Session-Per-Sec-Max": "0",
            "Session-Per-Sec-FiveMin": "0", "Session-Since-Startup": str(self.sessions),
            "Session-Peak-Max": str(count), "Session-Peak-FiveMin": str(count), "Idle-CPU": "98.933333",
        }  # fmt: skip
        self.fire("HEARTBEAT", tuple(pairs.items()))
        self._heartbeat = self.clock.call_at_ms(self.clock.monotonic_ms() + _HEARTBEAT_MS, self._beat)


def _run_at_once(work: Coroutine[int | None, None, bool]) -> None:
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
