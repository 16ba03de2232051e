"""Links that nobody reads, found and ended from the node's side."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.switch import sockets
from controlplane.switch.sockets import Connection, SocketsUnseen, connections_of, end
from controlplane.switch.stalled import Stalls
from controlplane.wiring.clock import SystemClock
from controlplane.wiring.guard import guard

LINK = Connection(socket.AF_INET, bytes(range(48)), waiting_bytes=100, acked_bytes=5)


def test_a_link_on_which_nothing_moves_is_stalled_when_patience_is_over() -> None:
    stalls = Stalls(15)
    assert [stalls.look([LINK], at_s) for at_s in (0.0, 7.0, 14.9)] == [[], [], []]
    assert stalls.look([LINK], 15.0) == [LINK]


def test_a_link_that_is_read_or_has_nothing_waiting_is_not() -> None:
    stalls = Stalls(15)
    stalls.look([LINK], 0)
    assert stalls.look([replace(LINK, acked_bytes=6)], 15) == []  # slow, but read
    assert stalls.look([replace(LINK, acked_bytes=6, waiting_bytes=0)], 29) == []
    assert stalls.look([replace(LINK, acked_bytes=6)], 30) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=30))
def test_whatever_moves_once_within_patience_is_never_taken_for_stalled(moves: list[tuple[int, int]]) -> None:
    stalls, acked, quiet_s, now_s = Stalls(5), 0, 0, 0.0
    for took_s, moved in moves:
        now_s, acked = now_s + took_s, acked + moved
        quiet_s = 0 if moved else quiet_s + took_s
        found = stalls.look([replace(LINK, acked_bytes=acked)], now_s)
        assert not found or quiet_s >= 5


def fill(writer: socket.socket) -> None:
    """Write until nothing more is taken."""
    writer.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            writer.send(bytes(1 << 16))


@contextlib.contextmanager
def link_to(server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, the server's second."""
    with socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
        yield client, accepted


async def test_a_link_that_is_not_read_is_ended_and_one_that_is_goes_on() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        link_to(server) as (stopped, to_stopped),
        link_to(server) as (reading, to_reading),
    ):
        port = server.getsockname()[1]
        fill(to_stopped)
        try:
            [waiting] = [one for one in connections_of(port) if one.waiting_bytes]
            end(replace(waiting, identity=b"\0\1" + waiting.identity[2:]))  # one that is not there
        except SocketsUnseen as error:
            pytest.skip(f"needs Linux and CAP_NET_ADMIN: {error}")
        assert waiting.peer == "{}:{}".format(*stopped.getsockname())
        guarding = asyncio.create_task(guard(port, Stalls(0.05), SystemClock(), look_s=0.01))
        async with asyncio.timeout(10):
            while len(connections_of(port)) > 1:
                await asyncio.sleep(0.01)
        guarding.cancel()
        with pytest.raises(ConnectionError):
            to_stopped.send(b"more")
        to_reading.send(b"news")
        assert reading.recv(4) == b"news"


def test_where_the_kernel_shows_nothing_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "_SOCK_DIAG", 99)
    with pytest.raises(SocketsUnseen):
        connections_of(8021)
