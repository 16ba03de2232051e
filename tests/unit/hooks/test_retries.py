"""What is tried again, how often, and on which connection."""

import asyncio
import socket

import pytest

from controlplane.hooks.client import HookClient
from controlplane.hooks.errors import Code
from controlplane.hooks.limits import Limits
from tests.still_time import StillTime
from tests.unit.hooks.asking import AT_ONCE, after, client_to_loopback, document, failure_of
from tests.unit.hooks.servers import Seen, answer, read_request, serving, serving_raw


async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(("fragment", "attempts"), [("", 2), ("#rc=0", 1), ("#rc=3", 4), ("#rc=3&rp=5xx", 1)])
async def test_refused_connection_is_tried_again_as_the_url_says(fragment: str, attempts: int) -> None:
    async with client_to_loopback() as client:
        error = await failure_of(client, document(f"http://127.0.0.1:{unused_port()}/{fragment}"))

    assert (error.code, error.attempts) == (Code.CONNECTION_FAILURE, attempts)
    assert error.problem == "the server refused the connection"


@pytest.mark.parametrize(
    ("status", "fragment", "requests"),
    [
        ("500 Oops", "", 1),
        ("500 Oops", "#rp=5xx", 2),
        ("500 Oops", "#rp=4xx,5xx&rc=4", 5),
        ("404 No", "#rp=5xx", 1),
        ("404 No", "#rp=all&rc=2", 3),
    ],
)
async def test_error_status_is_tried_again_only_where_the_url_says_so(
    status: str, fragment: str, requests: int
) -> None:
    async with serving(answer(status=status)) as server, client_to_loopback() as client:
        error = await failure_of(client, document(server.url("/" + fragment)))

        assert (error.code, len(server.seen)) == (Code.HTTP_FAILURE, requests)
        assert {request.headers["i-twilio-idempotency-token"] for request in server.seen} == {"cs_1.2.0"}


async def test_second_answer_counts_where_the_first_was_an_error() -> None:
    def reply(request: Seen) -> bytes:
        return answer(status="503 Busy") if len(server.seen) == 1 else answer(b"<Response/>")

    async with serving(reply) as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url("/#rp=5xx")))

        assert (fetched.body, fetched.attempts) == (b"<Response/>", 2)


async def test_silence_is_tried_again_where_the_url_says_so(time: StillTime) -> None:
    async def first_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        heard.set()
        if server.connections > 1:
            writer.write(answer())
        await asyncio.Event().wait()

    heard = asyncio.Event()

    async with serving_raw(first_silent) as server, client_to_loopback() as client:
        fetching = asyncio.create_task(client.fetch_document(document(server.url("/#rt=100&rp=rt"))))
        await heard.wait()
        await time.move(0.1)
        fetched = await fetching

        assert (fetched.body, fetched.attempts) == (b"<Response/>", 2)


async def test_nothing_is_repeated_once_part_of_an_answer_was_read() -> None:
    async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<")
        await writer.drain()

    async with serving_raw(breaks_off) as server, client_to_loopback() as client:
        error = await failure_of(client, document(server.url("/#rc=5&rp=all")))

        assert (error.code, server.connections) == (Code.PROTOCOL_VIOLATION, 1)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_idle_connection_that_died_is_replaced_without_counting_as_a_retry(method: str) -> None:
    async def serves_one_and_resets_at_the_next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer())
        await reader.read(1)  # the next request has begun: too late for the client to see the connection closing

    async with serving_raw(serves_one_and_resets_at_the_next) as server, client_to_loopback() as client:
        request = document(server.url("/#rc=0"), "GET" if method == "GET" else "POST")
        bodies = [(await client.fetch_document(request)).body for _ in range(3)]

        assert bodies == [b"<Response/>"] * 3


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_new_connection_that_dies_is_not_tried_again_by_anyone(method: str) -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)

    async with serving_raw(hangs_up) as server, client_to_loopback() as client:
        error = await failure_of(client, document(server.url(), "GET" if method == "GET" else "POST"))

        assert (error.code, server.connections) == (Code.CONNECTION_FAILURE, 1)
        assert error.problem == "the server closed the connection without an answer"


async def test_second_answer_on_a_connection_is_nobodys() -> None:
    async with serving(answer(b"mine") + answer(b"poison")) as server, client_to_loopback() as client:
        bodies = [(await client.fetch_document(document(server.url()))).body for _ in range(2)]

        assert (bodies, server.connections) == ([b"mine", b"mine"], 2)


@pytest.mark.parametrize(
    ("fragment", "after_s", "problem"),
    [
        ("#tt=150", 0.15, "no whole answer within 150 ms: still waiting for the answer"),
        ("#rt=100", 0.1, "the server was silent for too long"),
    ],
)
async def test_url_may_shorten_its_own_times(fragment: str, after_s: float, problem: str, time: StillTime) -> None:
    async with serving_raw(is_silent) as server, client_to_loopback(Limits()) as client:
        error = await after(after_s, server, time, failure_of(client, document(server.url("/" + fragment))))

        assert error.problem == problem


async def test_bad_override_is_an_error_before_anything_is_sent() -> None:
    async with serving() as server, client_to_loopback() as client:
        error = await failure_of(client, document(server.url("/#rp=nope")))

        assert (error.code, server.connections) == (Code.OVERRIDE_INVALID, 0)


async def test_slow_server_in_one_lane_leaves_places_to_others(time: StillTime) -> None:
    limits = Limits(per_lane=2, at_once=4)
    async with serving_raw(is_silent) as slow, serving() as quick, client_to_loopback(limits) as client:
        waiting = [asyncio.create_task(failure_of(client, document(slow.url()))) for _ in range(20)]
        await slow.has_connections(2)
        fetched = await client.fetch_document(document(quick.url(host="localhost")))  # while time stands still
        under_way = slow.connections
        await time.move(limits.total_ms / 1000)
        errors = await asyncio.gather(*waiting)

        assert (fetched.body, under_way) == (b"<Response/>", 2)
        stages = {error.problem.rpartition("still ")[2] for error in errors}
        assert "waiting for a free place" in stages


async def test_slow_name_server_is_given_up_at_the_connect_timeout(time: StillTime) -> None:
    async def lookup(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    async with HookClient(limits=Limits(connect_ms=100, retries=0), lookup=lookup) as client:
        asking = asyncio.create_task(failure_of(client, document("http://slow.test/")))
        await time.move(0.1)
        error = await asking

        assert (error.code, error.problem) == (Code.CONNECTION_FAILURE, "no connection in time")


async def test_name_server_that_fails_for_a_moment_is_asked_again() -> None:
    asked: list[str] = []

    async def lookup(host: str) -> list[str]:
        asked.append(host)
        if len(asked) == 1:
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return ["127.0.0.1"]

    async with serving() as server, HookClient(allow_private=True, limits=AT_ONCE, lookup=lookup) as client:
        fetched = await client.fetch_document(document(server.url(host="app.test")))

        assert (fetched.attempts, asked) == (2, ["app.test"] * 2)
