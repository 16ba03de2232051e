"""The audio of telephones, as the telephones see it: what is sent and heard is done by a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import os
import pickle
import socket
import subprocess
import sys
import threading
import time

import numpy as np

from controlplane.emulator.phones import media_process
from controlplane.emulator.phones.heard import HeardAudio
from controlplane.emulator.phones.media_process import (
    MESSAGE_BYTES,
    Close,
    Heard,
    Open,
    Order,
    PressNext,
    SayNext,
    SendTo,
)
from controlplane.emulator.phones.rtp import FRAME, RATE_HZ, Samples, parse_packet, to_ulaw
from controlplane.emulator.phones.sdp import Audio

_RECEIVE_BUFFER_BYTES = 1 << 20
_PROGRAM = f"from {media_process.__name__} import main; main()"
_PIECE = RATE_HZ // FRAME * FRAME


class MediaStream:
    """One party's microphone and ear. `closed` is set when nothing more will be heard."""

    def __init__(self, number: int, port: int, process: MediaProcess) -> None:
        self.number, self.port = number, port
        self.heard = HeardAudio(time.monotonic())
        self.closed = threading.Event()
        self._process = process
        self._busy_until_s = 0.0

    def send_to(self, remote: Audio) -> None:
        """Where our audio goes from now on."""
        self._process.order(SendTo(self.number, remote))

    def say(self, samples: Samples) -> None:
        """Say this after what is still being said."""
        audio = to_ulaw(np.concatenate([samples, np.zeros(-len(samples) % FRAME, np.int16)]))
        for start in range(0, len(audio), _PIECE):
            self._process.order(SayNext(self.number, audio[start : start + _PIECE]))
        self._takes(len(audio) / RATE_HZ)

    def press(self, key: str, duration_ms: int) -> None:
        """Press a key, as RFC 4733 events; the voice waits."""
        self._process.order(PressNext(self.number, key, duration_ms))
        self._takes(duration_ms / 1000)

    def hush(self) -> None:
        """Say no more."""
        self._process.order(SayNext(self.number, b"", is_now=True))

    @property
    def is_busy(self) -> bool:
        """There is something left to say or to press."""
        return time.monotonic() < self._busy_until_s

    def _takes(self, seconds: float) -> None:
        self._busy_until_s = max(self._busy_until_s, time.monotonic()) + seconds


class MediaProcess:
    """Serves streams."""

    def __init__(self, host: str) -> None:
        self._host, self._numbers = host, itertools.count()
        self._streams: dict[int, MediaStream] = {}
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
                stdin=subprocess.DEVNULL,
            )
        self._control.recv(MESSAGE_BYTES)  # it is ready
        self._thread = threading.Thread(target=self._listen, name="phones' ears", daemon=True)
        self._thread.start()

    def open(self) -> MediaStream:
        """A stream with a port of its own."""
        with socket.socket(type=socket.SOCK_DGRAM) as ours:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
            ours.setblocking(False)
            ours.bind((self._host, 0))
            stream = MediaStream(next(self._numbers), ours.getsockname()[1], self)
            self._streams[stream.number] = stream
            self.order(Open(stream.number), ours)
        return stream

    def close(self, stream: MediaStream) -> None:
        """End a stream; what it heard stays."""
        self.order(Close(stream.number))

    def order(self, order: Order, *handed_over: socket.socket) -> None:
        """Have something done. After the end there is nobody to do it."""
        with self._lock, contextlib.suppress(OSError):
            socket.send_fds(self._control, [pickle.dumps(order)], [one.fileno() for one in handed_over])

    def stop(self) -> None:
        """End all streams, and the process."""
        with contextlib.suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        self._process.wait()
        self._thread.join()
        self._control.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while message := self._control.recv(MESSAGE_BYTES):
                came: list[Heard] = pickle.loads(message)  # noqa: S301 - from our own child process
                for number, at_s, datagram in came:
                    self._heard(self._streams[number], at_s, datagram)
        for stream in self._streams.values():
            stream.closed.set()

    def _heard(self, stream: MediaStream, at_s: float, datagram: bytes) -> None:
        if not datagram:
            stream.closed.set()
            return
        packet = parse_packet(datagram)
        if packet is not None:
            stream.heard.take(packet, at_s)
