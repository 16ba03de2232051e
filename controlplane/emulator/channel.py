"""One channel: its state, what it tells the world about itself, and what others may do to it at any time.

What its own thread does (applications, parking, the end) is in `thread.py`. The two sides meet as in FreeSWITCH: from
outside a channel is given messages, digits, flags and a cause; its thread finds them at its next frame.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from controlplane.emulator.events import WITH_VARIABLES, Block
from controlplane.emulator.hearing import Heard, Hearing
from controlplane.emulator.profiles import Profile, Variables

if TYPE_CHECKING:
    from controlplane.emulator.fibers import Fiber
    from controlplane.emulator.node import Node
    from controlplane.emulator.recording import Recording

FRAME_MS = 20

# switch_core_pvt.h:65, SWITCH_EVENT_QUEUE_LEN: how many private messages wait at most.
_QUEUE_LENGTH = 256

STATE_NUMBERS = {
    "CS_NEW": 0, "CS_INIT": 1, "CS_ROUTING": 2, "CS_SOFT_EXECUTE": 3, "CS_EXECUTE": 4, "CS_EXCHANGE_MEDIA": 5,
    "CS_PARK": 6, "CS_CONSUME_MEDIA": 7, "CS_HIBERNATE": 8, "CS_RESET": 9, "CS_HANGUP": 10, "CS_REPORTING": 11,
    "CS_DESTROY": 12, "CS_NONE": 13,
}  # fmt: skip
_CALLSTATE_NUMBERS = {
    "DOWN": 0, "DIALING": 1, "RINGING": 2, "EARLY": 3, "ACTIVE": 4, "HELD": 5, "RING_WAIT": 6, "HANGUP": 7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A `sendmsg` with call-command execute. `loops` repeats the application if it lasts half a second at least;
    `lead_frames` go by before it begins. With a `cause` it is one with call-command hangup.
    """

    app: str = ""
    data: str = ""
    cause: str = ""
    token: str | None = None
    is_locked: bool = False
    loops: int = 1
    lead_frames: int = 0


@dataclass(frozen=True, slots=True)
class Digit:
    """One key. `duration` is in samples at 8 kHz; `source` RTP, or APP for one that an api command made up."""

    key: str
    duration: int = 2000
    source: str = "RTP"


class Channel:
    """A channel of the node. `watchers` are called after anything a party could notice."""

    def __init__(self, node: Node, profile: Profile, variables: dict[str, str]) -> None:
        self.node, self.profile = node, profile
        self.variables = Variables(node.globals)
        self.variables.update(variables)
        self.state, self.running_state, self.callstate = "CS_NEW", "CS_NEW", "DOWN"
        self.cause = ""
        self.is_answered = self.has_early_media = self.is_ringing = False
        self.is_leaving = False  # what runs must end: transferred, or joined with another channel
        self.break_flag = 0  # CF_BREAK: 1, or 2 for "and what follows"
        self.is_broadcasting = self.is_stopping_broadcast = self.is_locked = self.is_parked = False
        self.nesting = 0
        self.next_state: str | None = None
        self.app_log: list[tuple[str, str]] = []
        self.messages: deque[Message] = deque()
        self.digits: deque[Digit] = deque()
        self.extension: deque[tuple[str, str]] = deque()
        self.partner: Channel | None = None
        self.originator: Channel | None = None
        self.is_originator = False  # of the conversation it is in
        self.joins: Channel | None = None  # uuid_bridge: the channel it is to talk to
        self.is_first_to_join = False
        self.other_leg: tuple[str, Profile] | None = None
        self.hears, self.says = Hearing(), Hearing()
        self.is_deaf = self.is_mute = False  # uuid_audio: write and read side muted
        self.recordings: dict[str, Recording] = {}
        self.met: dict[str, Channel] = {}
        self.keys_taken: list[str] = []
        self.digits_sent: list[tuple[int, str]] = []
        self.ended_by_far_end = False
        self.watchers: list[Callable[[], None]] = []
        self.fiber: Fiber | None = None
        self.grid_ms = node.clock.monotonic_ms()
        self._state_block: Block | None = None

    def begin_anew(self, node: Node, variables: dict[str, str]) -> None:
        """Come up on another node: all that is left is who is at the far end, and the variables."""
        self.node, self.variables = node, Variables(node.globals)
        self.variables.update(variables)
        for queue in (self.messages, self.digits, self.extension):
            queue.clear()
        self.recordings.clear()
        self.partner = self.originator = self.joins = self.next_state = self.other_leg = None
        self.is_originator = self.is_first_to_join = self.is_leaving = self.is_parked = self.is_locked = False
        self.is_broadcasting = self.is_stopping_broadcast = self.is_deaf = self.is_mute = False
        self.break_flag = self.nesting = 0
        self.grid_ms = node.clock.monotonic_ms()

    # What it is

    @property
    def uuid(self) -> str:
        """Its UUID."""
        return self.profile.uuid

    @property
    def is_inbound(self) -> bool:
        """Say whether the far end called us."""
        return self.profile.direction == "inbound"

    @property
    def has_media(self) -> bool:
        """Say whether audio flows."""
        return self.is_answered or self.has_early_media

    @property
    def is_down(self) -> bool:
        """Say whether it has been hung up."""
        return bool(self.cause)

    @property
    def is_ready(self) -> bool:
        """Say whether what runs on it may go on."""
        return not self.cause and not self.is_leaving

    def voice_of(self, uuid: str) -> list[Heard]:
        """What the party of a channel said that this one was joined with (or this one's own)."""
        other = self if uuid == self.uuid else self.met.get(uuid)
        return [] if other is None else other.says.until(self.node.clock.monotonic_ms())

    def next_frame_ms(self) -> int:
        """When its thread looks around next."""
        now_ms = self.node.clock.monotonic_ms()
        return now_ms + FRAME_MS - (now_ms - self.grid_ms) % FRAME_MS

    # What it tells

    def fire(self, name: str, after: Iterable[tuple[str, str]] = (), before: Iterable[tuple[str, str]] = ()) -> None:
        """Fire an event of this channel with its own headers before and after the channel's."""
        if not self.node.is_wanted(name):
            self.node.skip_event()
            return
        blocks = [Block(tuple(before))] if before else []
        blocks += self.state_blocks()
        if name in WITH_VARIABLES:
            blocks.append(self.variables.block())
        if after:
            blocks.append(Block(tuple(after)))
        self.node.publish(name, self.uuid, tuple(blocks))

    def state_blocks(self) -> list[Block]:
        """The headers about state and parties."""
        if self._state_block is None:
            self._state_block = Block(tuple(self._state_pairs()))
        blocks = [self._state_block]
        if self.running_state != "CS_NEW":
            blocks.append(self.profile.block("Caller"))
        if self.other_leg is not None:
            kind, profile = self.other_leg
            blocks += [Block((("Other-Type", kind),)), profile.block("Other-Leg")]
        return blocks

    def changed(self) -> None:
        """Something in the state's headers changed, or something that a party can notice."""
        self._state_block = None
        for watcher in tuple(self.watchers):
            watcher()

    def _state_pairs(self) -> list[tuple[str, str]]:
        direction = self.profile.direction
        pairs = [
            ("Channel-State", self.running_state), ("Channel-Call-State", self.callstate),
            ("Channel-State-Number", str(STATE_NUMBERS[self.state])), ("Channel-Name", self.profile.channel_name),
            ("Unique-ID", self.uuid), ("Call-Direction", direction), ("Presence-Call-Direction", direction),
            ("Channel-HIT-Dialplan", "true" if self.is_inbound else "false"),
        ]  # fmt: skip
        if presence := self.variables.get("presence_data"):
            pairs.append(("Channel-Presence-Data", presence))
        pairs.append(("Channel-Call-UUID", self.variables.get("call_uuid") or self.uuid))
        pairs.append(("Answer-State", self._answer_state()))
        if self.cause:
            pairs.append(("Hangup-Cause", self.cause))
        if self.has_media:
            for side in ("Read", "Write"):
                pairs += [(f"Channel-{side}-Codec-Name", "PCMU"), (f"Channel-{side}-Codec-Rate", "8000")]
                pairs.append((f"Channel-{side}-Codec-Bit-Rate", "64000"))
        return pairs

    def _answer_state(self) -> str:
        if self.cause:
            return "hangup"
        if self.is_answered:
            return "answered"
        return "early" if self.has_early_media else "ringing"

    def enter(self, state: str) -> None:
        """Its thread takes up a state."""
        self.state = self.running_state = state
        self.changed()
        self.fire("CHANNEL_STATE")

    def set_callstate(self, callstate: str) -> None:
        """Change the state of the call, and say so."""
        if callstate == self.callstate:
            return
        original, self.callstate = self.callstate, callstate
        self.changed()
        number = str(_CALLSTATE_NUMBERS[callstate])
        self.fire(
            "CHANNEL_CALLSTATE",
            before=(("Original-Channel-Call-State", original), ("Channel-Call-State-Number", number)),
        )

    # What may be done to it at any time

    def wake(self) -> None:
        """Let its thread look around at its next frame."""
        if self.fiber is not None:
            self.fiber.wake_at(self.next_frame_ms())

    def wake_now(self) -> None:
        """Let its thread look around as soon as this is over."""
        if self.fiber is not None:
            self.fiber.wake_at(self.node.clock.monotonic_ms())

    def send(self, message: Message) -> bool:
        """Queue a message for its thread; False if there are too many already."""
        if len(self.messages) >= _QUEUE_LENGTH:
            return False
        self.messages.append(message)
        self.wake()
        return True

    def receive_digit(self, digit: Digit) -> None:
        """A key was pressed at the far end, or made up by an api command."""
        if not self.cause:
            self.digits.append(digit)
            self.wake()

    def go_to(self, state: str) -> None:
        """End what runs, and let its thread take up another state."""
        if not self.cause:
            # A state that it is in already is not taken up again: it leaves what it does, and does nothing more.
            self.next_state, self.is_leaving = None if state == self.state == "CS_PARK" else state, True
            self.wake()

    def stop(self, *, everything: bool) -> None:
        """Break off what runs, and with `everything` forget what waits (mod_commands.c, break_function)."""
        if everything:
            self.messages.clear()
        if self.is_broadcasting:
            self.is_stopping_broadcast = True
            self.break_flag = 1
        else:
            self.break_flag = 2 if everything else 1
        self.wake()

    def hang_up(self, cause: str) -> None:
        """End it from our side. Its thread finds out at its next frame."""
        if self.end(cause):
            if self.is_answered:
                self.variables.set("sip_hangup_disposition", "send_bye")
            elif self.is_inbound:
                self.variables.set("sip_hangup_disposition", "send_refuse")
            else:
                self.variables.set("sip_hangup_disposition", "send_cancel")
                self.variables.update({"sip_invite_failure_status": "487", "sip_invite_failure_phrase": "CANCEL"})
            self.wake()

    def end(self, cause: str) -> bool:
        """It has ended, whoever ended it; False if it had before."""
        if self.cause:
            return False
        self.cause, self.state = cause, "CS_HANGUP"
        self.profile.times.hungup = self.node.now_us()
        self.hears.begin(None, self.node.clock.monotonic_ms())
        self.changed()
        self.fire("CHANNEL_HANGUP")
        if self.partner is not None:
            self.partner.wake()
        return True
