"""Session descriptions (RFC 4566, RFC 3264) of one audio stream: PCMU and telephone-event, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

PCMU = 0
OUR_KEYS = 101
_KEYS = re.compile(rb"^a=rtpmap:(\d+) telephone-event/8000", re.MULTILINE)
_AUDIO = re.compile(rb"^m=audio (\d+) RTP/AVP([ \d]*)", re.MULTILINE)
_ADDRESS = re.compile(rb"^c=IN IP4 (\S+)", re.MULTILINE)


class NoAudio(Exception):
    """The other side offers nothing that these telephones can speak."""


@dataclass(frozen=True, slots=True)
class Audio:
    """Where the other side wants its audio, and as which payload type keys (None: it takes none)."""

    host: str
    port: int
    keys: int | None


def parse_audio(body: bytes) -> Audio:
    """Read an SDP offer or answer; raises NoAudio unless it has PCMU."""
    audio, address, keys = _AUDIO.search(body), _ADDRESS.search(body), _KEYS.search(body)
    if audio is None or address is None or PCMU not in map(int, audio[2].split()):
        raise NoAudio(body.decode("utf-8", "replace"))
    return Audio(address[1].decode(), int(audio[1]), int(keys[1]) if keys else None)


def describe(host: str, port: int, *, keys: int = OUR_KEYS, version: int = 1) -> bytes:
    """An SDP offer or answer for audio at `host`:`port`."""
    lines = (
        "v=0",
        f"o=phone 1 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {PCMU} {keys}",
        f"a=rtpmap:{PCMU} PCMU/8000",
        f"a=rtpmap:{keys} telephone-event/8000",
        f"a=fmtp:{keys} 0-15",
        "a=ptime:20",
        "a=sendrecv",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()
