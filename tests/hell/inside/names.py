"""A name server that means harm: it knows names for addresses inside, and one that moves there once it was judged."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from ipaddress import ip_address
from typing import cast

from tests.hell.inside.world import PUBLIC

APP, REBINDS = "app.test", "rebinds.test"
_ADDRESSES = {
    APP: (PUBLIC,),
    "metadata.internal.test": ("169.254.169.254",),
    "both.test": (PUBLIC, "127.0.0.1"),
    "mapped.test": ("::ffff:127.0.0.1",),
    "translated.test": ("64:ff9b::7f00:1",),
    "private.test": ("10.0.0.1",),
    "six.test": ("::1",),
    "zone.test": ("fe80::1",),
}
_A, _AAAA = 1, 28


class NameServer(asyncio.DatagramProtocol):
    """Answers A and AAAA (RFC 1035 §4.1), everything to live for no time."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        name, end = _name_of(data)
        kind = int.from_bytes(data[end : end + 2], "big")
        found = [
            address.packed for address in map(ip_address, self._addresses_of(name, kind)) if _kind(address) == kind
        ]
        is_known = name in _ADDRESSES or name == REBINDS
        head = data[:2] + struct.pack(">HHHHH", 0x8180 if is_known else 0x8183, 1, len(found), 0, 0)
        answers = [struct.pack(">HHHIH", 0xC00C, kind, 1, 0, len(packed)) + packed for packed in found]
        self._transport.sendto(head + data[12 : end + 4] + b"".join(answers), addr)

    def _addresses_of(self, name: str, kind: int) -> tuple[str, ...]:
        if name != REBINDS:
            return _ADDRESSES.get(name, ())
        self._asked[f"{kind}"] += 1
        return (PUBLIC,) if self._asked[f"{kind}"] % 2 else ("127.0.0.1",)


def _kind(address: object) -> int:
    return _AAAA if ":" in str(address) else _A


def _name_of(data: bytes) -> tuple[str, int]:
    labels, place = [], 12
    while data[place]:
        labels.append(data[place + 1 : place + 1 + data[place]].decode("latin-1").lower())
        place += 1 + data[place]
    return ".".join(labels), place + 1
