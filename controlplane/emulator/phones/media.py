"""The audio of telephones: each has a socket of its own, one thread serves them all every 20 ms.

A thread, because audio has to leave evenly whatever the event loop does. Streams belong to it between `add` and
`remove`; what others call on them (say, press, heard) is safe from any thread.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator

import numpy as np

from controlplane.emulator.phones.heard import HeardAudio
from controlplane.emulator.phones.rtp import (
    FRAME,
    SILENCE,
    Packet,
    Samples,
    is_end,
    key_payloads,
    parse_packet,
    to_ulaw,
    write_packet,
)
from controlplane.emulator.phones.sdp import PCMU, Audio

_TICK_S = 0.02
_MOST_LATE_TICKS = 50
_RECEIVE_BUFFER_BYTES = 1 << 20


class MediaStream:
    """One party's microphone and ear."""

    def __init__(self, host: str) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self.heard = HeardAudio(time.monotonic())
        self.is_silent = False
        self._remote: Audio | None = None
        self._voice: deque[bytes] = deque()
        self._keys: deque[tuple[str, int]] = deque()
        self._key: Iterator[bytes] | None = None
        self._key_start = 0
        self._sequence = itertools.count(random.randrange(0x8000))  # noqa: S311 - no secret
        self._source = random.getrandbits(32)
        self._timestamp = random.randrange(1 << 30)  # noqa: S311

    def send_to(self, remote: Audio) -> None:
        """Where our audio goes from now on."""
        self._remote = remote

    def say(self, samples: Samples) -> None:
        """Say this after what is still being said."""
        padded = np.concatenate([samples, np.zeros(-len(samples) % FRAME, np.int16)])
        data = to_ulaw(padded)
        self._voice.extend(data[at : at + FRAME] for at in range(0, len(data), FRAME))

    def press(self, key: str, duration_ms: int) -> None:
        """Press a key, as RFC 4733 events; the voice waits."""
        self._keys.append((key, duration_ms))

    def hush(self) -> None:
        """Say no more."""
        self._voice.clear()

    @property
    def is_busy(self) -> bool:
        """There is something left to say or to press."""
        return bool(self._voice or self._keys or self._key)

    def tick(self, now_s: float) -> None:
        """Take what came, send what is next. The media thread's own."""
        self._receive(now_s)
        self._timestamp += FRAME
        if self._remote is None or self.is_silent:
            return
        if self._key is None and self._keys and self._remote.keys is not None:
            self._key = key_payloads(*self._keys.popleft())
            self._key_start = self._timestamp
        if self._key is not None:
            self._send_key(self._key, self._remote)
            return
        try:
            frame = self._voice.popleft()
        except IndexError:
            frame = SILENCE
        self._send(PCMU, frame, self._timestamp, self._remote, is_marked=False)

    def close(self) -> None:
        self._socket.close()

    def _receive(self, now_s: float) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                packet = parse_packet(self._socket.recv(2048))
                if packet is not None:
                    self.heard.take(packet, now_s)

    def _send_key(self, payloads: Iterator[bytes], remote: Audio) -> None:
        for payload in payloads:
            is_first = payload[2:] == FRAME.to_bytes(2)
            self._send(remote.keys or 0, payload, self._key_start, remote, is_marked=is_first)
            if not is_end(payload):
                return
        self._key = None

    def _send(self, payload_type: int, payload: bytes, timestamp: int, remote: Audio, *, is_marked: bool) -> None:
        packet = Packet(payload_type, next(self._sequence), timestamp, is_marked, payload)
        with contextlib.suppress(OSError):  # nobody there (any more): audio is lost, as audio is
            self._socket.sendto(write_packet(packet, self._source), (remote.host, remote.port))


class MediaThread:
    """Serves streams."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: tuple[MediaStream, ...] = ()
        self._wake = threading.Event()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="phones' audio", daemon=True)
        self._thread.start()

    def add(self, stream: MediaStream) -> None:
        """Serve a stream from now on."""
        with self._lock:
            self._streams += (stream,)
        self._wake.set()

    def remove(self, stream: MediaStream) -> None:
        """Close a stream; what it heard stays."""
        with self._lock:
            if stream in self._streams:
                self._streams = tuple(one for one in self._streams if one is not stream)
                stream.close()

    def stop(self) -> None:
        """Close all."""
        self._is_ending = True
        self._wake.set()
        self._thread.join()
        for stream in self._streams:
            stream.close()

    def _run(self) -> None:
        due_s = time.monotonic()
        while not self._is_ending:
            self._wake.clear()
            if not self._streams:
                self._wake.wait()
                due_s = time.monotonic()
                continue
            now_s = time.monotonic()
            due_s = max(due_s, now_s - _MOST_LATE_TICKS * _TICK_S)
            if due_s > now_s:
                time.sleep(due_s - now_s)
                continue
            with self._lock:
                for stream in self._streams:
                    stream.tick(now_s)
            due_s += _TICK_S
