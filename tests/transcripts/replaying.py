"""A recorded conversation held with the emulator: the same commands at the same times, and what it says to them.

The recorded calls were driven in two ways. Over links (`inbound`, `command`) the emulator is driven the same way. Over
a socket of the call's own (`outbound`) a link stands for the socket: it is subscribed as the socket was and hears that
channel only, and `park` stands where `socket` stood. A command goes out at its recorded time, or as soon as the
emulator has told as much as FreeSWITCH had by then, whichever is later.
"""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from controlplane.emulator.channel import Channel, Digit
from controlplane.emulator.clock import VirtualClock
from controlplane.emulator.memory import MemoryNetwork, MemoryTransport
from controlplane.emulator.node import Node
from controlplane.emulator.parties import Cast
from controlplane.emulator.rules import Door
from controlplane.emulator.scenarios import CalleePlan, HangUp, Scenario, Then, Wait
from controlplane.emulator.signalling import far_end_hangs_up, far_end_refuses
from controlplane.esl.frames import EslEvent
from tests.transcripts.stories import Recorded, Told, compared, recorded, wanted_legs
from tests.unit.emulator.links import Link, open_link

SOUNDS = {"half": 500, "tone5": 5000, "tone8": 8000}
MYEVENTS = (
    "CHANNEL_ANSWER CHANNEL_APPLICATION CHANNEL_BRIDGE CHANNEL_CREATE CHANNEL_DATA CHANNEL_DESTROY CHANNEL_EXECUTE "
    "CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_ORIGINATE CHANNEL_UUID CHANNEL_OUTGOING "
    "CHANNEL_PARK CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_STATE CHANNEL_UNBRIDGE CHANNEL_UNPARK DTMF TALK"
)


# What people at the far ends did, which the recorded sockets do not show: seconds, what, and on which leg.
Act = tuple[float, str, str]
ACTS: Mapping[str, tuple[Act, ...]] = {
    "bridge_answered_a_hangs_up": ((1.166, "bye", "A"),),
    "bridge_answered_b_hangs_up": ((1.130, "bye", "B"),),
    "caller_cancels_before_answer": ((0.071, "bye", "A"),),
    "caller_hangs_up_mid_play": ((0.112, "bye", "A"),),
    "record_message": ((0.3, "speak", "A"), (1.25, "fall silent", "A"), (2.507, "bye", "A")),
}
CALLEES = {
    "answer5": CalleePlan(0.5, Then.ANSWER, (Wait(5), HangUp())),
    "busy": CalleePlan(0, Then.BUSY),
    "noanswer": CalleePlan(1, Then.NO_ANSWER),
}


class Replay:
    """One transcript held with the emulator."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self.lines = recorded(name)
        self.wanted = wanted_legs(self.lines)
        self.clock = VirtualClock()
        self.node = Node(self.clock, door=_door(self.lines))
        self.network = MemoryNetwork(self.node)
        self.links: dict[str, Link] = {}
        self.rung: set[str] = set()

    async def run(self) -> None:
        """Say what was said; afterwards `links` have heard what the emulator answered."""
        self.node.gateways = frozenset()
        cast = Cast(self.node, Scenario(callees=CALLEES))
        self.node.far_ends = lambda leg, names: _invite(cast, leg, names)
        self._make_sounds()
        self._arrange()
        for place, one in enumerate(self.lines):
            if one.wire not in self.links:
                await self._until(one.at_s)
                await self._open(one.wire)
            if one.command and not one.command.startswith(("connect", "linger", "myevents", "auth ", "event ")):
                await self._say(one, place)
            if one.is_closed and one.wire == "inbound":
                await self._until(one.at_s)
                self._transport(one.wire).abort()
        await self._until(self.lines[-1].at_s + 2)

    async def _until(self, at_s: float) -> None:
        await self.clock.sleep(max(0.0, at_s - self.clock.monotonic_s()))

    def _transport(self, wire: str) -> MemoryTransport:
        transport = self.links[wire].transport
        assert transport is not None
        return transport

    async def _open(self, wire: str) -> None:
        """Open a link. One that was opened while another was (links_lost_while_bridged) subscribed as that one had."""
        events = [one.command for one in self.lines if one.wire == wire and one.command.startswith("event plain")]
        events = events or [one.command for one in self.lines if one.command.startswith("event plain")]
        names = "" if wire == "command" else " ".join(line.removeprefix("event plain ") for line in events)
        if wire.startswith("outbound"):
            names = f"{MYEVENTS} {names}"
        link = await open_link(self.network, names.replace("all", "ALL"))
        if wire.startswith("outbound"):
            await link.ask(f"filter Unique-ID {self._channel_of(wire)}")
        self.links[wire] = link

    def _channel_of(self, wire: str) -> str:
        first = next(one.event for one in self.lines if one.wire == wire and one.event is not None)
        return first.get("Unique-ID") or ""

    def _arrange(self) -> None:
        """Let calls come in, keys be pressed and people hang up when they did."""
        began: set[str] = set()
        for one in self.lines:
            event = one.event
            if event is None or event.get("Unique-ID") not in self.wanted:
                continue
            uuid = event.get("Unique-ID") or ""
            if event.get("Call-Direction") == "inbound" and uuid not in began:
                began.add(uuid)
                self._at(max(one.at_s - 0.03, self.lines[0].at_s + 0.002), partial(self._ring, event, uuid))
            if event.name == "DTMF" and one.wire == _first_wire(self.lines, "DTMF"):
                digit = Digit(event.get("DTMF-Digit") or "", int(event.get("DTMF-Duration") or 0))
                self._at(one.at_s - 0.02, partial(self._press, uuid, digit))
            if event.get("Hangup-Cause") == "MANAGER_REQUEST" and event.name == "CHANNEL_HANGUP_COMPLETE":
                self._at(one.at_s - 0.02, self._hang_all_up)
        for at_s, act, leg in ACTS.get(self.name, ()):
            self._at(at_s, partial(self._do, act, leg))

    def _at(self, at_s: float, run: Callable[[], None]) -> None:
        self.clock.call_at_ms(round(max(0.0, at_s) * 1000), run)

    def _ring(self, event: EslEvent, uuid: str) -> None:
        self.rung.add(uuid)
        self.node.ring(
            event.get("Caller-Caller-ID-Number") or "", event.get("Caller-Destination-Number") or "", uuid=uuid,
            caller_name=event.get("Caller-Caller-ID-Name") or "",
        )  # fmt: skip

    def _press(self, uuid: str, digit: Digit) -> None:
        if uuid in self.node.channels:
            self.node.channels[uuid].receive_digit(digit)

    def _hang_all_up(self) -> None:
        for channel in list(self.node.channels.values()):
            channel.hang_up("MANAGER_REQUEST")

    def _do(self, act: str, leg: str) -> None:
        channel = next(one for one in self.node.channels.values() if one.is_inbound == (leg == "A"))
        if act == "bye":
            far_end_hangs_up(channel)
        else:
            channel.says.begin("say:something" if act == "speak" else None, self.clock.monotonic_ms())

    async def _say(self, one: Recorded, place: int) -> None:
        await self._until(one.at_s)
        is_socket = one.wire.startswith("outbound")
        before = [line.event for line in self.lines[:place] if line.wire == one.wire and line.event is not None]
        expected = _awaited(compared(before, self.wanted, is_socket=is_socket))
        link = self.links[one.wire]
        for _ in range(250):
            if self._is_there(one) and _awaited(compared(link.events, self.wanted, is_socket=is_socket)) >= expected:
                break
            await self.clock.sleep(0.02)
        await link.ask(self._rewritten(one))

    def _is_there(self, one: Recorded) -> bool:
        """Say whether the call is parked whose own socket a command came over: FreeSWITCH had connected it by then."""
        return not one.wire.startswith("outbound") or self._is_parked(self._channel_of(one.wire))

    def _is_parked(self, uuid: str) -> bool:
        channel = self.node.channels.get(uuid)
        return (uuid in self.rung and channel is None) or (channel is not None and channel.is_parked)

    def _rewritten(self, one: Recorded) -> str:
        command = one.command.replace("/srv/sounds", str(self.folder)).replace("/srv/recordings", str(self.folder))
        if command.startswith("sendmsg\n"):
            return command.replace("sendmsg", f"sendmsg {self._channel_of(one.wire)}", 1)
        return command

    def _make_sounds(self) -> None:
        for name, duration_ms in SOUNDS.items():
            with wave.open(str(self.folder / f"{name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(bytes(duration_ms * 16))


# Events whose coming makes an application act.
_AWAITED = (
    "CHANNEL_EXECUTE_COMPLETE",
    "PLAYBACK_START",
    "PLAYBACK_STOP",
    "RECORD_START",
    "RECORD_STOP",
    "CHANNEL_BRIDGE",
)


def _awaited(stories: Mapping[str, list[Told]]) -> int:
    return sum(one.name in _AWAITED for story in stories.values() for one in story)


def _first_wire(lines: list[Recorded], name: str) -> str:
    return next(one.wire for one in lines if one.event is not None and one.event.name == name)


def _door(lines: list[Recorded]) -> Door:
    """What the recorded dialplan did before it parked the call."""
    actions = [
        (one.event.get("Application") or "", one.event.get("Application-Data") or "")
        for one in lines
        if one.event is not None and one.event.name == "CHANNEL_EXECUTE_COMPLETE" and _is_of_door(one.event)
    ]
    return Door(watchdog_s=None, before_park=tuple(dict.fromkeys(actions)))


def _is_of_door(event: EslEvent) -> bool:
    data = event.get("Application-Data") or ""
    return event.get("Application") == "sched_hangup" or data.startswith("park_timeout=")


def _invite(cast: Cast, leg: Channel, names: list[str]) -> None:
    if "x" in names:
        leg.node.clock.call_at_ms(leg.next_frame_ms(), lambda: far_end_refuses(leg, 503))
        return
    cast.take_invite(leg, names)
