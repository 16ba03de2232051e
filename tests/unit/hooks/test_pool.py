"""Connections that are kept: what a server says unasked is nobody's answer."""

import asyncio

import pytest

from tests.unit.hooks.asking import client_to_loopback, document
from tests.unit.hooks.servers import answer, read_request, serving_raw

OWN = answer(b"<Response>own</Response>")
FORGED = answer(b"<Response>forged</Response>")


async def test_an_answer_said_while_nobody_asked_is_not_the_next_requests() -> None:
    async def says_more_when_idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_request(reader) is not None:
            writer.write(OWN)
            await is_read.wait()
            writer.write(FORGED)
            await writer.drain()
            said.set()

    is_read, said = asyncio.Event(), asyncio.Event()
    async with serving_raw(says_more_when_idle) as server, client_to_loopback() as client:
        first = await client.fetch_document(document(server.url()))
        is_read.set()
        await said.wait()
        second = await client.fetch_document(document(server.url()))

        assert [first.body, second.body] == [b"<Response>own</Response>"] * 2


@pytest.mark.parametrize("cut", [1, len(OWN) - 5, -1])
async def test_two_answers_to_one_question_leave_none_for_the_next(cut: int) -> None:
    async def says_twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await read_request(reader) is not None:
            said = OWN + FORGED
            writer.write(said[:cut])
            await writer.drain()
            for _ in range(20):
                await asyncio.sleep(0)
            writer.write(said[cut:])

    async with serving_raw(says_twice) as server, client_to_loopback() as client:
        bodies = [(await client.fetch_document(document(server.url()))).body for _ in range(3)]

        assert bodies == [b"<Response>own</Response>"] * 3


@pytest.mark.parametrize("garbage", [b"\r\n", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 9", FORGED[:30]])
async def test_garbage_said_while_nobody_asked_spoils_no_request(garbage: bytes) -> None:
    async def says_garbage_when_idle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OWN)
        if not is_read.is_set():
            await is_read.wait()
            writer.write(garbage)
            await writer.drain()
            said.set()
        await reader.read()

    is_read, said = asyncio.Event(), asyncio.Event()
    async with serving_raw(says_garbage_when_idle) as server, client_to_loopback() as client:
        await client.fetch_document(document(server.url()))
        is_read.set()
        await said.wait()
        second = await client.fetch_document(document(server.url()))

        assert (second.body, second.attempts, server.connections) == (b"<Response>own</Response>", 1, 2)
