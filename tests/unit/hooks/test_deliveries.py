import asyncio
import hashlib
import hmac
from email.utils import formatdate
from time import time as clock

import pytest
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from controlplane.hooks.errors import Code
from controlplane.hooks.messages import DeliveryRequest, DeliveryResult, EventContent, FormContent
from controlplane.verbs.documents import Link
from tests.still_time import StillTime
from tests.unit.hooks.asking import PARAMETERS, TOKEN, after, client_to_loopback
from tests.unit.hooks.hell import SLOW, drips, floods, says_and_closes
from tests.unit.hooks.servers import Handler, Seen, answer, redirect, serving, serving_raw

BODY = b'{"id":"evt_1","type":"call.completed"}'


def callback(url: str) -> DeliveryRequest:
    return DeliveryRequest(Link(url), FormContent(PARAMETERS, SecretStr(TOKEN), "cs_1.3.0"))


def event(url: str, api_version: str = "2026-06-01") -> DeliveryRequest:
    content = EventContent(BODY, SecretStr("whsec_x"), event_id="evt_1", source="callplane", api_version=api_version)
    return DeliveryRequest(Link(url), content)


def expected_signature(request: Seen) -> str:
    signed = request.headers["x-teler-timestamp"].encode() + b"." + request.body
    return hmac.new(b"whsec_x", signed, hashlib.sha256).hexdigest()


async def test_event_goes_out_as_signed_json() -> None:
    before_s = int(clock())
    async with serving(answer(b"thanks")) as server, client_to_loopback() as client:
        result = await client.deliver(event(server.url()))

        [request] = server.seen
        assert (request.method, request.body) == ("POST", BODY)
        assert request.headers["content-type"] == "application/json"
        assert request.headers["x-teler-signature"] == expected_signature(request)
        assert before_s <= int(request.headers["x-teler-timestamp"]) <= clock()
        assert request.headers["x-teler-event-id"] == "evt_1"
        assert request.headers["x-teler-source"] == "callplane"
        assert request.headers["x-teler-api-version"] == "2026-06-01"
        assert result == DeliveryResult(200, result.elapsed_ms)


async def test_older_api_version_is_not_told() -> None:
    async with serving() as server, client_to_loopback() as client:
        await client.deliver(event(server.url(), api_version=""))

        assert "x-teler-api-version" not in server.seen[0].headers


async def test_callback_goes_out_as_signed_form() -> None:
    async with serving(answer(b"", "204 No Content")) as server, client_to_loopback() as client:
        result = await client.deliver(callback(server.url()))

        [request] = server.seen
        assert request.form == dict(PARAMETERS)
        assert request.headers["i-twilio-idempotency-token"] == "cs_1.3.0"
        signature = request.headers["x-twilio-signature"]
        assert RequestValidator(TOKEN).validate(request.url, request.form, signature)
        assert result == DeliveryResult(204, result.elapsed_ms)


@pytest.mark.parametrize("status", ["400 Bad", "404 No", "410 Gone", "500 Oops", "503 Busy", "300 Choose"])
async def test_status_that_is_no_success_is_told_and_not_retried(status: str) -> None:
    async with serving(answer(status=status)) as server, client_to_loopback() as client:
        result = await client.deliver(callback(server.url()))

        number = int(status[:3])
        assert result == DeliveryResult(
            number, result.elapsed_ms, Code.CALLBACK_ANSWER, f"the server answered {number}", None
        )
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999", 86_400),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        (formatdate(0, usegmt=True), 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("Fri, 31 Dec 99999 23:59:59 GMT", None),
    ],
)
async def test_retry_after_is_read(value: str, seconds: int | None) -> None:
    async with serving(answer(status="429 Slow down", retry_after=value)) as server, client_to_loopback() as client:
        assert (await client.deliver(callback(server.url()))).retry_after_s == seconds


@pytest.mark.parametrize(
    "handler",
    [
        floods(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536)),
        says_and_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx"),
        says_and_closes(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"),
    ],
    ids=["floods", "cut short", "undecodable"],
)
async def test_status_counts_whatever_the_body_does(handler: Handler) -> None:
    async with serving_raw(handler) as server, client_to_loopback() as client:
        result = await client.deliver(event(server.url()))

        assert (result.status, result.code) == (200, None)


async def test_body_that_drips_is_not_waited_for(time: StillTime) -> None:
    dripping = drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x")
    async with serving_raw(dripping) as server, client_to_loopback() as client:
        delivering = asyncio.create_task(client.deliver(event(server.url())))
        await server.has_connections(1)
        await time.move(5)
        result = await delivering

        assert (result.status, result.code) == (200, None)


@pytest.mark.parametrize("name", ["never reads", "drips header fields"])
async def test_no_answer_is_a_result_with_a_number(name: str, time: StillTime) -> None:
    handler, code = SLOW[name]
    async with serving_raw(handler) as server, client_to_loopback() as client:
        result = await after(15, server, time, client.deliver(event(server.url())))

        assert (result.status, result.code) == (None, code)


@pytest.mark.parametrize(
    ("url", "code"),
    [("nonsense", Code.URL_NOT_VALID), ("http://a_b/", Code.BAD_HOST), ("http://a.test/#rp=x", Code.OVERRIDE_INVALID)],
)
async def test_url_that_cannot_be_asked_is_a_result_too(url: str, code: Code) -> None:
    async with client_to_loopback() as client:
        result = await client.deliver(event(url))

    assert (result.status, result.code) == (None, code)


async def test_short_answers_keep_their_connection() -> None:
    async with serving(answer(b"x" * 2000)) as server, client_to_loopback() as client:
        results = [await client.deliver(event(server.url())) for _ in range(10)]

        assert ({result.code for result in results}, server.connections) == ({None}, 1)


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
async def test_redirect_that_keeps_the_event_is_followed(status: str) -> None:
    async with serving() as other, serving(redirect(other.url("/b"), status)) as server, client_to_loopback() as client:
        result = await client.deliver(event(server.url()))

        assert (other.seen[0].body, result.code) == (BODY, None)
        assert other.seen[0].headers["x-teler-signature"] == expected_signature(other.seen[0])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other"])
async def test_redirect_that_would_lose_the_event_is_a_failure(status: str) -> None:
    async with serving() as other, serving(redirect(other.url("/b"), status)) as server, client_to_loopback() as client:
        result = await client.deliver(event(server.url()))

        assert (result.code, other.seen) == (Code.REDIRECTS, [])


async def test_callback_follows_redirects_without_its_parameters() -> None:
    async with serving() as other, serving(redirect(other.url("/b"))) as server, client_to_loopback() as client:
        result = await client.deliver(callback(server.url()))

        assert (other.seen[0].method, other.seen[0].path, result.code) == ("GET", "/b", None)


async def test_connection_is_tried_once() -> None:
    async with serving_raw(lambda _, __: asyncio.sleep(0)) as server:
        url = server.url()
    async with client_to_loopback() as client:
        result = await client.deliver(event(url))

    assert (result.code, result.problem) == (Code.CONNECTION_FAILURE, "the server refused the connection")
