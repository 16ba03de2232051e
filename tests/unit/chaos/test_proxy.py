"""The line between a call server and its node, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.chaos.proxy import Kind, Manner, Message, Proxy

End = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def ends(proxy: Proxy) -> AsyncIterator[tuple[End, End]]:
    """Both ends of one line through a proxy: the call server's, and the node's."""
    accepted: asyncio.Queue[End] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait((reader, writer))

    listening = await asyncio.start_server(accept, "127.0.0.1", proxy.node_port)
    proxy.node_port = listening.sockets[0].getsockname()[1]
    client = await asyncio.open_connection("127.0.0.1", await proxy.listen_for("a"))
    far = await accepted.get()
    try:
        yield client, far
    finally:
        await proxy.close()
        for _, writer in (client, far):
            writer.close()
        listening.close()
        await listening.wait_closed()


async def test_messages_pass_both_ways_and_lines_are_known_by_what_they_subscribe_to() -> None:
    seen: list[Message] = []

    def watch(message: Message) -> bool:
        seen.append(message)
        return True

    proxy = Proxy(0, watchers=[watch])
    async with ends(proxy) as ((reader, writer), (far_reader, far_writer)):
        writer.write(b"event plain CHANNEL_PARK\n\n")
        assert await far_reader.readuntil(b"\n\n") == b"event plain CHANNEL_PARK\n\n"
        far_writer.write(b"Content-Type: command/reply\n\n")
        assert await reader.readuntil(b"\n\n") == b"Content-Type: command/reply\n\n"
    assert [(one.server, one.kind, one.is_from_node) for one in seen] == [
        ("a", Kind.EVENTS, False),
        ("a", Kind.EVENTS, True),
    ]


async def test_nothing_follows_a_message_that_does_not_go_on() -> None:
    proxy = Proxy(0, watchers=[lambda message: message.frame.line != "api b"])
    async with ends(proxy) as ((_, writer), (far_reader, _)):
        writer.write(b"api a\n\napi b\n\napi c\n\n")
        assert await far_reader.readuntil(b"\n\n") == b"api a\n\n"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(far_reader.read(1), 0.05)


async def test_a_line_that_is_cut_is_reset_at_both_ends() -> None:
    proxy = Proxy(0)
    async with ends(proxy) as ((reader, _), (far_reader, _)):
        proxy.lines[0].cut()
        for one in (reader, far_reader):
            with pytest.raises(ConnectionResetError):
                await one.read(1)


async def test_of_a_line_that_swallows_neither_end_learns_anything_until_it_is_cut() -> None:
    proxy = Proxy(0)
    async with ends(proxy) as ((_, writer), (far_reader, _)):
        [line] = proxy.lines
        line.swallow()
        writer.write(b"api a\n\n")
        writer.close()
        await writer.wait_closed()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(far_reader.read(1), 0.05)
        assert proxy.lines == [line]
        line.cut()
        with pytest.raises(ConnectionResetError):
            await far_reader.read(1)


async def test_what_a_node_sends_on_a_line_that_swallows_stays_with_the_node() -> None:
    proxy = Proxy(0)
    async with ends(proxy) as (_, (_, far_writer)):
        proxy.lines[0].swallow()
        far_writer.write(bytes(8 << 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(far_writer.drain(), 0.05)
        assert far_writer.transport.get_write_buffer_size() > 1 << 20
        far_writer.transport.abort()


@pytest.mark.parametrize("manner", [Manner.SLOW, Manner.BY_BYTES])
async def test_a_line_that_is_bad_loses_nothing(manner: Manner) -> None:
    proxy = Proxy(0)
    async with ends(proxy) as ((_, writer), (far_reader, _)):
        proxy.lines[0].manner = manner
        writer.write(b"api a\n\napi b\n\n")
        assert await far_reader.readexactly(14) == b"api a\n\napi b\n\n"
