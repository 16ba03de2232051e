"""Ports for processes that are to be told one."""

from __future__ import annotations

import socket


def free_port() -> int:
    """A TCP port of loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        return number
