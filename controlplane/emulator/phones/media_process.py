"""The process that sends and takes telephones' audio, every 20 ms: nothing else runs here that could delay a packet.

It is told what to do, and tells what it hears, in messages over one socket (see `Order`, `Heard`); the sockets of the
telephones come with their first order. FreeSWITCH throws audio away that comes in bursts while it bridges, so this
process asks for a place before others where it may (root).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import random
import socket
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from controlplane.emulator.phones.rtp import FRAME, SILENCE, Packet, is_end, key_payloads, write_packet
from controlplane.emulator.phones.sdp import PCMU, Audio

TICK_S = 0.02
MOST_LATE_TICKS = 50
MESSAGE_BYTES = 1 << 17
_DATAGRAM_BYTES = 2048
_MOST_IN_ONE = MESSAGE_BYTES // (2 * _DATAGRAM_BYTES)
_PRIORITY = 1


@dataclass(frozen=True, slots=True)
class Open:
    """Serve a stream, whose socket comes with this."""

    stream: int


@dataclass(frozen=True, slots=True)
class SendTo:
    """Where a stream's audio goes from now on."""

    stream: int
    remote: Audio


@dataclass(frozen=True, slots=True)
class SayNext:
    """Audio to send after what is left, µ-law, whole frames; with `is_now` instead of it."""

    stream: int
    audio: bytes
    is_now: bool = False


@dataclass(frozen=True, slots=True)
class PressNext:
    """A key to press after those before."""

    stream: int
    key: str
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Close:
    """End a stream: what came to the last is told, then that it is closed."""

    stream: int


Order: TypeAlias = Open | SendTo | SayNext | PressNext | Close
# stream, when (seconds of the monotonic clock), the datagram; b"" says that the stream is closed.
Heard: TypeAlias = tuple[int, float, bytes]


@dataclass(slots=True)
class Stream:
    """One party's microphone and ear."""

    number: int
    socket: socket.socket
    remote: Audio | None = None
    voice: deque[bytes] = field(default_factory=deque)
    keys: deque[tuple[str, int]] = field(default_factory=deque)
    key: Iterator[bytes] | None = None
    key_start: int = 0
    sequence: Iterator[int] = field(default_factory=lambda: itertools.count(random.randrange(0x8000)))  # noqa: S311
    source: int = field(default_factory=lambda: random.getrandbits(32))
    timestamp: int = field(default_factory=lambda: random.randrange(1 << 30))  # noqa: S311

    def obey(self, order: SendTo | SayNext | PressNext) -> None:
        match order:
            case SendTo(_, remote):
                self.remote = remote
            case SayNext(_, audio, is_now):
                if is_now:
                    self.voice.clear()
                self.voice.extend(audio[at : at + FRAME] for at in range(0, len(audio), FRAME))
            case PressNext(_, key, duration_ms):
                self.keys.append((key, duration_ms))

    def hear(self) -> list[Heard]:
        """What came."""
        came: list[Heard] = []
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                datagram = self.socket.recv(_DATAGRAM_BYTES)
                came.append((self.number, time.monotonic(), datagram))
        return came

    def speak(self) -> None:
        """Send what is next: a key before the voice, silence where there is neither."""
        self.timestamp += FRAME
        if self.remote is None:
            return
        if self.key is None and self.keys and self.remote.keys is not None:
            self.key = key_payloads(*self.keys.popleft())
            self.key_start = self.timestamp
        if self.key is not None:
            self._speak_key(self.key, self.remote)
            return
        self._send(PCMU, self.voice.popleft() if self.voice else SILENCE, self.timestamp, self.remote)

    def _speak_key(self, payloads: Iterator[bytes], remote: Audio) -> None:
        for payload in payloads:
            is_first = payload[2:] == FRAME.to_bytes(2)
            self._send(remote.keys or 0, payload, self.key_start, remote, is_marked=is_first)
            if not is_end(payload):
                return
        self.key = None

    def _send(self, kind: int, payload: bytes, timestamp: int, remote: Audio, *, is_marked: bool = False) -> None:
        packet = Packet(kind, next(self.sequence), timestamp, is_marked, payload)
        with contextlib.suppress(OSError):  # nobody there (any more): audio is lost, as audio is
            self.socket.sendto(write_packet(packet, self.source), (remote.host, remote.port))


def serve(control: socket.socket) -> None:
    """Serve streams until the other end of `control` is closed."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(_PRIORITY))
    streams: dict[int, Stream] = {}
    due_s = 0.0
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        control.send(pickle.dumps([]))  # ready
        while True:
            came = _obey(control, streams, may_wait=not streams)
            due_s = max(due_s, time.monotonic() - MOST_LATE_TICKS * TICK_S)
            for stream in streams.values():
                came += stream.hear()
                stream.speak()
            for start in range(0, len(came), _MOST_IN_ONE):  # what is longer than a message is cut off
                control.send(pickle.dumps(came[start : start + _MOST_IN_ONE]))
            due_s += TICK_S
            time.sleep(max(0.0, due_s - time.monotonic()))


def _obey(control: socket.socket, streams: dict[int, Stream], *, may_wait: bool) -> list[Heard]:
    """Take all orders there are, and wait for one if there is nothing else to do."""
    came: list[Heard] = []
    control.setblocking(may_wait)
    with contextlib.suppress(BlockingIOError):
        while True:
            message, handles, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
            if not message:
                raise EOFError
            order: Order = pickle.loads(message)  # noqa: S301 - from our own parent process
            match order:
                case Open(number):
                    streams[number] = Stream(number, socket.socket(fileno=handles[0]))
                case Close(number):
                    stream = streams.pop(number)
                    came += [*stream.hear(), (number, time.monotonic(), b"")]
                    stream.socket.close()
                case _ if order.stream in streams:  # what takes long to say may be ordered when nobody listens any more
                    streams[order.stream].obey(order)
            control.setblocking(False)
    control.setblocking(True)
    return came


def main() -> None:
    """The program: its argument is the number of the socket it was given."""
    with socket.socket(fileno=int(sys.argv[1])) as given:
        serve(given)
