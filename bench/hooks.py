"""What a question to an application costs, against a bare pooled aiohttp POST of the same form to the same server."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from statistics import median

import aiohttp
from lxml import etree
from pydantic import SecretStr

from bench.measurement import Measurement, print_all
from controlplane.hooks.client import HookClient
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.messages import DocumentRequest
from controlplane.verbs.documents import Link
from controlplane.verbs.parsing import parse_document

Row = dict[str, str | float]
ROUNDS, REQUESTS = 9, 300
BODY = b'<Response><Gather numDigits="1" action="/next"><Say>Press one.</Say></Gather><Hangup/></Response>'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
FORM = {
    "CallSid": "CA" + "0" * 32, "AccountSid": "AC" + "0" * 32, "From": "+15550001111", "To": "+15550002222",
    "CallStatus": "in-progress", "ApiVersion": "2010-04-01", "Direction": "inbound", "Caller": "+15550001111",
    "Called": "+15550002222", "FromCity": "", "FromState": "", "FromZip": "", "FromCountry": "US", "Digits": "1#",
    "ToCity": "", "ToState": "", "ToZip": "", "ToCountry": "US", "CallToken": "x" * 60, "msg": "Gather End",
}  # fmt: skip


def run() -> Iterable[Row]:
    """Yield rows: time and CPU of one request, new connections of a thousand calls."""
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    server.start()
    try:
        yield from asyncio.run(_measure(ours.recv(), ours))
    finally:
        server.terminate()
        server.join()


async def _measure(port: int, server: Connection) -> list[Row]:
    url = f"http://127.0.0.1:{port}/voice"
    async with HookClient(allow_private=True) as client, aiohttp.ClientSession() as session:

        async def callplane() -> None:
            request = DocumentRequest(Link(url), tuple(FORM.items()), SecretStr("12345"), "cs_1.2.0", CallCookies())
            fetched = await client.fetch_document(request)
            parse_document(fetched.body, fetched.content_type, source_url=fetched.url)

        async def bare() -> None:
            async with session.post(url, data=FORM) as response:
                etree.fromstring(await response.read())

        await _round(callplane)
        await _round(bare)
        server.send("count")
        opened_before = server.recv()
        # The two take turns, so that what else the machine does meets both.
        pairs = [(await _round(callplane), await _round(bare)) for _ in range(ROUNDS)]
        server.send("count")
        opened = server.recv() - opened_before
    names = ("hook_document_p50", "hook_document_cpu")
    rows = [_row(name, [(a[i], b[i]) for a, b in pairs]) for i, name in enumerate(names)]
    per_request = opened / ROUNDS / REQUESTS
    connections: Row = {
        "name": "hook_new_connections_per_1000", "value": per_request * 1000, "unit": "count",
        "peer": "one per request", "peer_value": 1000, "ratio": per_request,
    }  # fmt: skip
    return [*rows, connections]


async def _round(ask: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Answer the median time and the mean CPU of one request, microseconds."""
    times_s = []
    cpu_s = time.process_time()
    for _ in range(REQUESTS):
        began_s = time.perf_counter()
        await ask()
        times_s.append(time.perf_counter() - began_s)
    return median(times_s) * 1e6, (time.process_time() - cpu_s) / REQUESTS * 1e6


def _row(name: str, pairs: list[tuple[float, float]]) -> Row:
    value, peer_value = (median(side) for side in zip(*pairs, strict=True))
    ratio = median(ours / theirs for ours, theirs in pairs)
    peer = "aiohttp pooled POST and lxml"
    return {
        "name": name, "value": round(value, 1), "unit": "us", "peer": peer, "peer_value": round(peer_value, 1),
        "ratio": round(ratio, 3),
    }  # fmt: skip


def _serve(answers: Connection) -> None:
    asyncio.run(_serve_for_ever(answers))


async def _serve_for_ever(answers: Connection) -> None:
    opened = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := (await reader.readuntil(b"\r\n\r\n")).lower():
                length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length))
                writer.write(ANSWER)
        writer.close()

    def tell() -> None:
        answers.recv()
        answers.send(opened)

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    answers.send(server.sockets[0].getsockname()[1])
    asyncio.get_running_loop().add_reader(answers.fileno(), tell)
    async with server:
        await server.serve_forever()


def measure() -> Iterator[Measurement]:
    """The rows as `python -m bench` prints them."""
    for row in run():
        yield Measurement(**row)  # type: ignore[arg-type]


if __name__ == "__main__":
    print_all(measure())
