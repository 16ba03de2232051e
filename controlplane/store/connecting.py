"""How every connection to PostgreSQL is made, and how one that does not answer is ended.

Cancelling a psycopg task is no way out of a connection that is half open: it asks the server, over the same network, to
cancel the query, and waits for that. Shutting the socket down is: whoever waits gets an OperationalError at once.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import AsyncConnection

# Seconds, but tcp_user_timeout milliseconds (libpq 33.1.2): the kernel notices a peer that vanished in about 10 s.
KEPT_ALIVE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}


async def connect(url: str, name: str, *, options: str = "") -> AsyncConnection[Any]:
    """A connection of its own, outside any pool, in autocommit."""
    return await AsyncConnection.connect(url, autocommit=True, application_name=name, options=options, **KEPT_ALIVE)


LATE_S = 0.1  # a timer that comes so late came late for us: the answer may lie in the socket
GRACE_S = 0.3


@contextmanager
def cut_after(connection: AsyncConnection[Any], seconds: float) -> Iterator[None]:
    """Shut the connection's socket down if what is done here takes longer; it fails with OperationalError then.

    Time in which this process stood still is no time that the server took: it has GRACE_S more then.
    """
    loop = asyncio.get_running_loop()
    due_s = loop.time() + seconds
    timers: list[asyncio.TimerHandle] = []

    def end() -> None:
        if loop.time() - due_s < LATE_S:
            cut(connection)
        else:
            timers.append(loop.call_later(GRACE_S, cut, connection))

    timers.append(loop.call_at(due_s, end))
    try:
        yield
    finally:
        for timer in timers:
            timer.cancel()


def is_quiet(connection: AsyncConnection[Any]) -> bool:
    """Say whether nothing came from the server since the last answer; a session that it ended says so, or hangs up."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def cut(connection: AsyncConnection[Any]) -> None:
    """Shut the connection's socket down: whoever waits for it gets an OperationalError."""
    if connection.closed:
        return
    with socket.socket(fileno=os.dup(connection.fileno())) as double:
        double.shutdown(socket.SHUT_RDWR)
