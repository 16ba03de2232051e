"""Ports for processes that are to be told one."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """Ports that nobody has on loopback now, neither for TCP nor for UDP."""
    ports: list[int] = []
    sockets: list[socket.socket] = []
    while len(ports) < count:
        tcp, udp = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
        sockets += [tcp, udp]
        tcp.bind(("127.0.0.1", 0))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            continue
        ports.append(tcp.getsockname()[1])
    for one in sockets:
        one.close()
    return ports


def is_free(port: int) -> bool:
    """Say whether nobody has a port on loopback now, neither for TCP nor for UDP."""
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        # As servers do: connections that are over are no reason against it.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """One such port."""
    return free_ports(1)[0]
