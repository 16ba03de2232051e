"""What a question to an application costs, against a bare pooled aiohttp POST of the same form to the same server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from statistics import median

import aiohttp
from lxml import etree
from pydantic import SecretStr

from bench.application import XML, Application, running_application
from bench.measurement import Measurement, compared, print_all
from controlplane.hooks.client import HookClient
from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.messages import DocumentRequest
from controlplane.verbs.documents import Link
from controlplane.verbs.parsing import parse_document
from controlplane.wiring.loops import collect_seldom

ROUNDS, REQUESTS = 9, 300
PEER, AIM = "aiohttp pooled POST and lxml", "ratio 1.5 or less"
BODY = b'<Response><Gather numDigits="1" action="/next"><Say>Press one.</Say></Gather><Hangup/></Response>'
FORM = {
    "CallSid": "CA" + "0" * 32, "AccountSid": "AC" + "0" * 32, "From": "+15550001111", "To": "+15550002222",
    "CallStatus": "in-progress", "ApiVersion": "2010-04-01", "Direction": "inbound", "Caller": "+15550001111",
    "Called": "+15550002222", "FromCity": "", "FromState": "", "FromZip": "", "FromCountry": "US", "Digits": "1#",
    "ToCity": "", "ToState": "", "ToZip": "", "ToCountry": "US", "CallToken": "x" * 60, "msg": "Gather End",
}  # fmt: skip


def measure() -> Iterator[Measurement]:
    """Time and CPU of one request, new connections of a thousand calls."""
    collect_seldom()  # as in every process of ours
    with running_application({"/voice": (XML, BODY)}) as application:
        yield from asyncio.run(_measure(application))


async def _measure(application: Application) -> list[Measurement]:
    url = f"{application.url}/voice"
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
        opened_before = application.counts().opened
        # The two take turns, so that what else the machine does meets both.
        pairs = [(await _round(callplane), await _round(bare)) for _ in range(ROUNDS)]
        opened = application.counts().opened - opened_before
    names = ("hook_document_p50", "hook_document_cpu")
    rows = [compared(name, "us", [(a[i], b[i]) for a, b in pairs], PEER, AIM) for i, name in enumerate(names)]
    per_request = opened / ROUNDS / REQUESTS
    made = ("hook_new_connections_per_1000", per_request * 1000, "count", "one per request", 1000, per_request)
    return [*rows, Measurement(*made, aim="0")]


async def _round(ask: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Answer the median time and the mean CPU of one request, microseconds."""
    times_s = []
    cpu_s = time.process_time()
    for _ in range(REQUESTS):
        began_s = time.perf_counter()
        await ask()
        times_s.append(time.perf_counter() - began_s)
    return median(times_s) * 1e6, (time.process_time() - cpu_s) / REQUESTS * 1e6


if __name__ == "__main__":
    print_all(measure())
