"""SIPp as a caller that is not of our own making: it sends what files hold; what it is sent is read off loopback.

SIPp plays captures of RTP but records nothing, so its ear is a packet socket (root, or CAP_NET_RAW).
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from controlplane.emulator.phones.heard import HeardAudio
from controlplane.emulator.phones.rtp import FRAME, Packet, Samples, key_payloads, parse_packet, to_ulaw, write_packet
from controlplane.emulator.phones.sdp import PCMU

SCENARIOS = Path(__file__).parent / "sipp"
HOST = "127.0.0.1"
_KEYS_TYPE = 101  # telephone-event, as the scenarios' SDP has it
_KEY_MS, _GAP_MS = 100, 100
_SOURCE = 0x51BB
_BEGIN = 8000  # FreeSWITCH takes an event of timestamp 0 for the one before the first
_IPV4, _UDP, _OUTGOING = 0x0800, 17, 4
_CAPTURE = struct.Struct("<IHHiIII")
_CAPTURED = struct.Struct("<IIII")
_ETHERNET_LINK = 1
_LOOK_S = 0.2

Timed = tuple[int, bytes]  # milliseconds since the beginning, an RTP packet


def keys_packets(keys: str) -> Iterator[Timed]:
    """Keys as RFC 4733 events, one after the other."""
    sequence, at_ms = 1, 0
    for key in keys:
        timestamp = _BEGIN + at_ms * 8
        for number, payload in enumerate(key_payloads(key, _KEY_MS)):
            packet = Packet(_KEYS_TYPE, sequence, timestamp, number == 0, payload)
            yield min(at_ms + number * 20, at_ms + _KEY_MS), write_packet(packet, _SOURCE)
            sequence += 1
        at_ms += _KEY_MS + _GAP_MS


def voice_packets(samples: Samples) -> Iterator[Timed]:
    """Speech in packets of 20 ms."""
    audio = to_ulaw(samples)
    for number, start in enumerate(range(0, len(audio) - FRAME + 1, FRAME)):
        packet = Packet(PCMU, 1000 + number, 100_000 + start, number == 0, audio[start : start + FRAME])
        yield number * 20, write_packet(packet, _SOURCE)


def write_capture(path: Path, packets: Iterable[Timed]) -> None:
    """A capture file (libpcap's format) of packets over UDP, IPv4 and Ethernet."""
    with path.open("wb") as file:
        file.write(_CAPTURE.pack(0xA1B2C3D4, 2, 4, 0, 0, 65535, _ETHERNET_LINK))
        for at_ms, packet in packets:
            datagram = struct.pack(">HHHH", 4000, 4000, 8 + len(packet), 0) + packet
            head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, _UDP, 0)
            frame = bytes(12) + struct.pack(">H", _IPV4) + head + socket.inet_aton(HOST) * 2 + datagram
            file.write(_CAPTURED.pack(at_ms // 1000, at_ms % 1000 * 1000, len(frame), len(frame)) + frame)


@dataclass(slots=True)
class Ear:
    """Hears what is sent to a UDP port of loopback. Raises PermissionError for those who may not."""

    port: int
    heard: HeardAudio = field(default_factory=lambda: HeardAudio(time.monotonic()))
    _socket: socket.socket = field(init=False)
    _thread: threading.Thread = field(init=False)
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_IPV4))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("lo", _IPV4))
        self._socket.settimeout(_LOOK_S)
        self._thread = threading.Thread(target=self._listen, name="SIPp's ear", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        self._is_closed = True
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while not self._is_closed:
            try:
                data, address = self._socket.recvfrom(65536)
            except TimeoutError:
                continue
            udp = (data[0] & 0x0F) * 4
            is_ours = data[9] == _UDP and struct.unpack_from(">H", data, udp + 2)[0] == self.port
            packet = parse_packet(data[udp + 8 :]) if is_ours and address[2] != _OUTGOING else None
            if packet is not None:
                self.heard.take(packet, time.monotonic())


async def call(sipp: Path, peer: tuple[str, int], scenario: str, folder: Path, *, media_port: int, **keys: str) -> str:
    """One call; answers "" if it went as the scenario says, else what SIPp complained of. `keys` fill its [words]."""
    words = [part for name, value in keys.items() for part in ("-key", name, value)]
    process = await asyncio.create_subprocess_exec(
        sipp, f"{peer[0]}:{peer[1]}", "-sf", SCENARIOS / f"{scenario}.xml", "-m", "1", "-i", HOST, "-mi", HOST,
        "-mp", str(media_port), "-s", keys.pop("service"), *words, "-nostdin", "-timeout", "90", "-timeout_error",
        "-trace_err", "-error_file", folder / "sipp.log", cwd=folder,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    code = await process.wait()
    log = folder / "sipp.log"
    return "" if code == 0 else f"SIPp ended with {code}: {log.read_text() if log.exists() else 'without a word'}"
