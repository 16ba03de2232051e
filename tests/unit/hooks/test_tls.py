import asyncio
import ssl
from pathlib import Path

import pytest

from controlplane.hooks.client import HookClient
from controlplane.hooks.errors import Code
from controlplane.hooks.limits import Limits
from tests.still_time import StillTime
from tests.unit.hooks.asking import after, document, failure_of
from tests.unit.hooks.certificates import Authority, make_authority
from tests.unit.hooks.hell import resets_amid_the_request
from tests.unit.hooks.servers import answer, redirect, serving, serving_raw

LIMITS = Limits(retries=0)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


async def lookup(host: str) -> list[str]:
    return ["127.0.0.1"]


def trusting(authority: Authority) -> HookClient:
    return HookClient(allow_private=True, limits=LIMITS, authorities=authority.pem, lookup=lookup)


@pytest.mark.parametrize("fragment", ["", "#sni=n"])
@pytest.mark.parametrize(
    ("name", "host"),
    [("app.test", "app.test"), ("*.app.test", "a.app.test"), ("127.0.0.1", "127.0.0.1"), ("app.test", "APP.test.")],
)
async def test_trusted_certificate_for_the_host_is_accepted(
    authority: Authority, name: str, host: str, fragment: str
) -> None:
    async with serving(tls=authority.server(name)) as server, trusting(authority) as client:
        for _ in range(2):
            fetched = await client.fetch_document(document(server.url("/" + fragment, host, "https")))

        assert fetched.body == b"<Response/>"
        assert server.connections == 1


@pytest.mark.parametrize(("fragment", "seen"), [("", ["app.test"]), ("#sni=n", [None])])
async def test_server_name_is_sent_unless_the_url_forbids(
    authority: Authority, fragment: str, seen: list[str | None]
) -> None:
    names: list[str | None] = []
    tls = authority.server("app.test")
    tls.set_servername_callback(lambda _, name, __: names.append(name))
    async with serving(tls=tls) as server, trusting(authority) as client:
        await client.fetch_document(document(server.url("/" + fragment, "app.test", "https")))

    assert names == seen


@pytest.mark.parametrize("fragment", ["", "#sni=n"])
@pytest.mark.parametrize(
    ("names", "host"),
    [(["other.test"], "app.test"), (["*.b.test"], "a.a.b.test"), (["app.test"], "127.0.0.1"), (["*.test"], "a.test")],
)
async def test_certificate_for_another_host_is_refused(
    authority: Authority, names: list[str], host: str, fragment: str
) -> None:
    async with serving(tls=authority.server(*names)) as server, trusting(authority) as client:
        error = await failure_of(client, document(server.url("/" + fragment, host, "https")))

        assert (error.code, error.problem) == (
            Code.CERTIFICATE_HOST,
            "certificate refused: it is for another host",
        )
        assert server.seen == []


@pytest.mark.parametrize("fragment", ["", "#sni=n"])
async def test_expired_certificate_is_refused(authority: Authority, fragment: str) -> None:
    async with serving(tls=authority.server("app.test", days=-1)) as server, trusting(authority) as client:
        error = await failure_of(client, document(server.url("/" + fragment, "app.test", "https")))

        assert (error.code, error.problem) == (
            Code.CERTIFICATE_EXPIRED,
            "certificate refused: certificate has expired",
        )
        assert server.seen == []


@pytest.mark.parametrize("fragment", ["", "#sni=n"])
async def test_certificate_that_signs_itself_is_refused(authority: Authority, fragment: str) -> None:
    tls = authority.server("app.test", signs_itself=True)
    async with serving(tls=tls) as server, trusting(authority) as client:
        error = await failure_of(client, document(server.url("/" + fragment, "app.test", "https")))

        assert (error.code, server.seen) == (Code.CERTIFICATE_CHAIN, [])


async def test_authority_nobody_trusts_is_refused(authority: Authority) -> None:
    client = HookClient(allow_private=True, limits=LIMITS, lookup=lookup)
    async with serving(tls=authority.server("app.test")) as server, client:
        error = await failure_of(client, document(server.url("/", "app.test", "https")))

        assert (error.code, server.seen) == (Code.CERTIFICATE_CHAIN, [])


async def test_handshake_that_fails_is_told(authority: Authority) -> None:
    async def finds_no_common_ground(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x15\x03\x03\x00\x02\x02\x28")  # alert: fatal, handshake_failure
        await reader.read()

    async with serving_raw(finds_no_common_ground) as server, trusting(authority) as client:
        assert (await failure_of(client, document(server.url("/", "app.test", "https")))).code == Code.TLS_HANDSHAKE


async def test_plain_http_on_an_https_port_is_no_handshake(authority: Authority) -> None:
    async def speaks_plainly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer())
        await writer.drain()
        await reader.read()

    async with serving_raw(speaks_plainly) as server, trusting(authority) as client:
        error = await failure_of(client, document(server.url("/", "app.test", "https")))

        assert (error.code, error.problem) == (Code.TLS_HANDSHAKE, "TLS handshake failed: wrong version number")


async def test_silence_amid_the_handshake_ends_at_the_connect_timeout(authority: Authority, time: StillTime) -> None:
    async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving_raw(is_silent) as server, trusting(authority) as client:
        asked = document(server.url("/#ct=100", "app.test", "https"))
        error = await after(0.1, server, time, failure_of(client, asked))

        assert (error.code, error.problem) == (Code.CONNECTION_FAILURE, "no connection in time")


async def test_reset_amid_the_handshake_is_a_failure_to_connect(authority: Authority) -> None:
    async with serving_raw(resets_amid_the_request) as server, trusting(authority) as client:
        assert (
            await failure_of(client, document(server.url("/", "app.test", "https")))
        ).code == Code.CONNECTION_FAILURE


async def test_client_certificate_that_is_asked_for_is_not_there(authority: Authority) -> None:
    tls = authority.server("app.test")
    tls.load_verify_locations(authority.pem)
    tls.verify_mode = ssl.CERT_REQUIRED
    async with serving(tls=tls) as server, trusting(authority) as client:
        error = await failure_of(client, document(server.url("/", "app.test", "https")))

        assert error.code in (Code.TLS_HANDSHAKE, Code.CONNECTION_FAILURE)
        assert server.seen == []


async def test_redirect_from_https_to_http_is_refused(authority: Authority) -> None:
    async with serving() as plain, trusting(authority) as client:
        async with serving(redirect(plain.url()), authority.server("app.test")) as server:
            error = await failure_of(client, document(server.url("/", "app.test", "https")))

        assert (error.code, error.problem) == (Code.REDIRECTS, "a redirect from https to http")
        assert plain.connections == 0


async def test_flood_over_tls_is_cut_off(authority: Authority) -> None:
    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(65536))
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            ended.set()

    ended = asyncio.Event()
    async with serving_raw(floods, authority.server("app.test")) as server, trusting(authority) as client:
        error = await failure_of(client, document(server.url("/", "app.test", "https")))

        assert error.code == Code.BODY_TOO_LARGE
        await ended.wait()
