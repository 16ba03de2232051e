"""What must not get out: secrets into logs, cookies between calls, requests into proxies."""

import asyncio
import logging

import pytest
from pydantic import SecretStr

from controlplane.hooks.client import HookClient
from controlplane.hooks.messages import DeliveryRequest, EventContent, FormContent
from controlplane.verbs.documents import Link
from tests.unit.hooks.asking import AT_ONCE, client_to_loopback, document, failure_of
from tests.unit.hooks.hell import closes_at_once, says
from tests.unit.hooks.servers import answer, serving, serving_raw

SECRETS = ("topsecret", "+15550001111", "pin=4711", "hunter2")
PARAMETERS = (("From", "+15550001111"), ("Digits", "4711"))


def secret_request(url: str) -> Link:
    return Link(url.replace("http://", "http://user:hunter2@") + "?pin=4711&n=+15550001111#rc=0")


@pytest.mark.parametrize(
    "reply",
    [answer(), answer(status="500 Oops"), answer(b""), b"nonsense\r\n\r\n", answer(set_cookie="bad name=hunter2")],
    ids=["fine", "error", "empty", "nonsense", "bad cookie"],
)
async def test_logs_above_debug_hold_no_secret(reply: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving_raw(says(reply)) as server, client_to_loopback() as client:
        link = secret_request(server.url())
        token = SecretStr("topsecret")
        await asyncio.gather(
            client.fetch_document(document(link.url, parameters=PARAMETERS)),
            client.deliver(DeliveryRequest(link, FormContent(PARAMETERS, token, "t"))),
            client.deliver(DeliveryRequest(link, EventContent(b"+15550001111", token, "evt_1", "s"))),
            return_exceptions=True,
        )

    written = caplog.text + "".join(str(record.__dict__) for record in caplog.records)
    assert [secret for secret in SECRETS if secret in written] == []


async def test_failure_is_logged_with_host_code_and_time(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serving(answer(status="500 Oops")) as server, client_to_loopback() as client:
        await failure_of(client, document(server.url()))

    [record] = caplog.records
    assert (record.message, record.__dict__["host"], record.__dict__["code"]) == ("hook_failed", "127.0.0.1", 11200)


async def test_errors_hide_the_librarys_own_texts() -> None:
    async with serving_raw(closes_at_once) as server, client_to_loopback() as client:
        error = await failure_of(client, document(secret_request(server.url()).url))

    assert (error.__cause__, error.__suppress_context__) == (None, True)
    assert [secret for secret in SECRETS if secret in f"{error} {error!r}"] == []


def test_requests_print_without_their_secrets() -> None:
    token = SecretStr("topsecret")
    printed = [
        repr(document("http://a.test/", parameters=PARAMETERS)),
        repr(FormContent(PARAMETERS, token, "t")),
        repr(EventContent(b"+15550001111", token, "evt_1", "s")),
    ]

    assert [secret for secret in SECRETS if secret in "".join(printed)] == []


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving() as proxy, serving() as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        async with client_to_loopback() as client:
            await client.fetch_document(document(server.url()))

        assert (proxy.connections, server.connections) == (0, 1)


async def test_client_that_is_not_open_says_so() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await HookClient(limits=AT_ONCE).fetch_document(document("http://a.test/"))
