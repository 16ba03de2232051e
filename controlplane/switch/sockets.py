"""TCP connections of this machine as the kernel knows them, whoever's they are, and the way to end one (sock_diag(7)).

Only Linux, and only with CONFIG_INET_DIAG_DESTROY and CAP_NET_ADMIN can a connection be ended: whoever has it is told
by an error at once, the other side by a reset.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from controlplane.base.errors import Unavailable

_SOCK_DIAG, _BY_FAMILY, _DESTROY = 4, 20, 21  # netlink family, message types
_ERROR, _DONE = 2, 3
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ESTABLISHED = 1 << 1
_INFO = 2  # INET_DIAG_INFO: struct tcp_info
_BYTES_ACKED_AT = 120  # in it
_HEADER = struct.Struct("=IHHII")
_ASKED = struct.Struct("=BBBBI")  # inet_diag_req_v2 before its id
_ID_BYTES = 48  # inet_diag_sockid: ports, addresses, interface, cookie
_FOUND = struct.Struct("=4x48sIIIII")  # inet_diag_msg
_ATTRIBUTE = struct.Struct("=HH")
_NOT_THERE = 2  # ENOENT


class SocketsUnseen(Unavailable):
    """The kernel does not show or end connections; it takes Linux and, to end them, root or CAP_NET_ADMIN."""

    slug = "sockets-unseen"


@dataclass(frozen=True, slots=True)
class Connection:
    """One end, here, of a connection. `identity` is the kernel's name for it, never given twice.

    `waiting_bytes` are not acknowledged by the other side, `acked_bytes` all that ever were.
    """

    family: int
    identity: bytes
    waiting_bytes: int
    acked_bytes: int

    @property
    def port(self) -> int:
        return int.from_bytes(self.identity[:2], "big")

    @property
    def peer(self) -> str:
        """The other side's address and port."""
        size = 4 if self.family == socket.AF_INET else 16
        return f"{ip_address(self.identity[20 : 20 + size])}:{int.from_bytes(self.identity[2:4], 'big')}"


def connections_of(port: int) -> list[Connection]:
    """The connections that were made to a port of this machine. Raises SocketsUnseen."""
    found = []
    for family in (socket.AF_INET, socket.AF_INET6):
        asked = _ASKED.pack(family, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, _ESTABLISHED) + bytes(_ID_BYTES)
        found += [_connection(family, payload) for payload in _exchange(_BY_FAMILY, _REQUEST | _DUMP, asked)]
    return [one for one in found if one.port == port]


def end(connection: Connection) -> None:
    """End a connection; one that is gone is none. Raises SocketsUnseen."""
    asked = _ASKED.pack(connection.family, socket.IPPROTO_TCP, 0, 0, _ESTABLISHED) + connection.identity
    for _ in _exchange(_DESTROY, _REQUEST | _ACK, asked):
        pass


def _exchange(kind: int, flags: int, asked: bytes) -> Iterator[bytes]:
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
            kernel.send(_HEADER.pack(_HEADER.size + len(asked), kind, flags, 1, 0) + asked)
            while True:
                data = kernel.recv(1 << 18)
                for message, payload in _messages(data):
                    if message in (_ERROR, _DONE):
                        _check(message, payload)
                        return
                    yield payload
    except (OSError, AttributeError) as error:  # no AF_NETLINK: another system
        raise SocketsUnseen(None, why=str(error)) from error


def _check(message: int, payload: bytes) -> None:
    code = -struct.unpack_from("=i", payload)[0] if message == _ERROR else 0
    if code and code != _NOT_THERE:
        raise OSError(code, "netlink")


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[(length + 3) & ~3 :]


def _connection(family: int, payload: bytes) -> Connection:
    identity, _, _, waiting, _, _ = _FOUND.unpack_from(payload)
    attributes, acked = payload[_FOUND.size :], 0
    while len(attributes) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(attributes)
        if kind == _INFO and length >= _ATTRIBUTE.size + _BYTES_ACKED_AT + 8:
            (acked,) = struct.unpack_from("=Q", attributes, _ATTRIBUTE.size + _BYTES_ACKED_AT)
        attributes = attributes[max(_ATTRIBUTE.size, (length + 3) & ~3) :]
    return Connection(family, identity, waiting, acked)
