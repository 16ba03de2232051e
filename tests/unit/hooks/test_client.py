import gzip
import zlib

import pytest
from twilio.request_validator import RequestValidator

from controlplane.hooks.cookies import CallCookies
from controlplane.hooks.errors import Code
from controlplane.hooks.messages import Fetched
from tests.unit.hooks.asking import TOKEN, client_to_loopback, document, failure_of
from tests.unit.hooks.hell import says_and_closes
from tests.unit.hooks.servers import Seen, answer, redirect, serving, serving_raw


def is_signed(request: Seen) -> bool:
    signature = request.headers["x-twilio-signature"]
    return bool(RequestValidator(TOKEN).validate(request.url, request.form, signature))


async def test_post_carries_parameters_as_a_signed_form() -> None:
    async with serving() as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url("/voice?a=%2f1")))

        [request] = server.seen
        assert (request.method, request.path) == ("POST", "/voice?a=%2f1")
        assert request.form == {"CallSid": "CA1", "Digits": "1#"}
        assert is_signed(request)
        assert request.headers["i-twilio-idempotency-token"] == "cs_1.2.0"
        assert request.headers["user-agent"] == "Callplane"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded; charset=UTF-8"
        assert fetched == Fetched(server.url("/voice?a=%2f1"), "text/xml", b"<Response/>", fetched.elapsed_ms, 1)


async def test_get_carries_parameters_in_a_signed_query() -> None:
    async with serving() as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url("/voice?a=1"), "GET"))

        [request] = server.seen
        assert (request.method, request.path, request.body) == ("GET", "/voice?a=1&CallSid=CA1&Digits=1%23", b"")
        assert is_signed(request)
        assert fetched.url == server.url("/voice?a=1")


@pytest.mark.parametrize("path", ["", "/", "/a/../b//c", "/%zz?x=%", '/é?q=ü {}|"<>^`', "/a?", "/?&&a=b;c&a=b", "//x/"])
async def test_what_is_signed_is_what_the_server_sees(path: str) -> None:
    async with serving() as server, client_to_loopback() as client:
        await client.fetch_document(document(server.url(path.replace(" ", "%20"))))

        assert is_signed(server.seen[0])


async def test_hundred_requests_share_one_connection() -> None:
    async with serving() as server, client_to_loopback() as client:
        for _ in range(100):
            await client.fetch_document(document(server.url()))

        assert (len(server.seen), server.connections) == (100, 1)


async def test_credentials_in_the_url_become_basic_auth_and_stay_with_the_base_url() -> None:
    async with serving() as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url("/a#frag", "us%C3%A9r:p%3Ass@127.0.0.1")))

        assert server.seen[0].headers["authorization"] == "Basic dXPDqXI6cDpzcw=="
        assert fetched.url == server.url("/a", "us%C3%A9r:p%3Ass@127.0.0.1")
        assert is_signed(server.seen[0])


async def test_redirects_repeat_no_parameters_and_turn_into_get() -> None:
    def reply(request: Seen) -> bytes:
        return redirect("/next?x=1") if request.path == "/voice" else answer(b"<Response/>")

    async with serving(reply) as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url()))

        last = server.seen[1]
        assert (last.method, last.path, last.body) == ("GET", "/next?x=1", b"")
        assert is_signed(last)
        assert (fetched.url, fetched.attempts) == (server.url("/next?x=1"), 2)


@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
async def test_method_is_kept_where_the_status_says_so(status: str) -> None:
    def reply(request: Seen) -> bytes:
        return redirect("next", status) if request.path == "/a/voice" else answer()

    async with serving(reply) as server, client_to_loopback() as client:
        await client.fetch_document(document(server.url("/a/voice")))

        last = server.seen[1]
        assert (last.method, last.path, last.body) == ("POST", "/a/next", b"")
        assert is_signed(last)


async def test_ten_redirects_are_followed_and_an_eleventh_is_not() -> None:
    def reply(request: Seen) -> bytes:
        left = int(request.path[1:])
        return redirect(f"/{left - 1}") if left else answer()

    async with serving(reply) as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url("/10")))
        error = await failure_of(client, document(server.url("/11")))

        assert fetched.attempts == 11
        assert (error.code, error.problem, error.url) == (Code.REDIRECTS, "more than 10 redirects", server.url("/11"))


async def test_credentials_follow_a_redirect_to_the_same_origin_only() -> None:
    async with serving() as other, client_to_loopback() as client:

        def reply(request: Seen) -> bytes:
            return redirect("/b") if request.path == "/a" else redirect(other.url())

        async with serving(reply) as server:
            await client.fetch_document(document(server.url("/a", "u:p@127.0.0.1")))

            assert server.seen[1].headers["authorization"] == "Basic dTpw"
            assert "authorization" not in other.seen[0].headers


async def test_cookies_of_a_call_come_back_and_reach_no_other_call() -> None:
    async with serving(answer(set_cookie="s=1; Path=/")) as server, client_to_loopback() as client:
        ours, theirs = CallCookies(), CallCookies()
        for jar in (ours, theirs, ours):
            await client.fetch_document(document(server.url(), cookies=jar))
        await client.fetch_document(document(server.url()))

        assert [request.headers.get("cookie") for request in server.seen] == [None, None, "s=1", None]


async def test_audio_instead_of_a_document_is_not_read() -> None:
    reply = answer(b"RIFF", content_type="audio/wav", content_length="9000000")
    async with serving(reply) as server, client_to_loopback() as client:
        fetched = await client.fetch_document(document(server.url("/a.wav")))

        assert fetched == Fetched(server.url("/a.wav"), "audio/wav", b"", fetched.elapsed_ms, 1)


async def test_largest_document_is_64_kib() -> None:
    async with serving(answer(bytes(64 * 1024))) as server, client_to_loopback() as client:
        assert len((await client.fetch_document(document(server.url()))).body) == 65_536


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "identity"])
async def test_encoded_document_is_decoded(encoding: str) -> None:
    packed = {"deflate": zlib.compress(b"<Response/>"), "identity": b"<Response/>"}
    body = packed.get(encoding, gzip.compress(b"<Response/>"))
    async with serving(answer(body, content_encoding=encoding)) as server, client_to_loopback() as client:
        assert (await client.fetch_document(document(server.url()))).body == b"<Response/>"


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<Resp\r\n6;x=y\r\nonse/>\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 200\r\nContent-Length: 11\r\n\r\n<Response/>",
        b"HTTP/1.1 299 Odd\r\ncontent-LENGTH:11\r\n\r\n<Response/>",
    ],
    ids=["after a 100", "in chunks", "no reason", "odd spelling"],
)
async def test_unusual_but_right_answers_are_taken(reply: bytes) -> None:
    async with serving(reply) as server, client_to_loopback() as client:
        assert (await client.fetch_document(document(server.url()))).body == b"<Response/>"


async def test_answer_that_ends_with_the_connection_is_taken() -> None:
    closing = says_and_closes(b"HTTP/1.0 200 OK\r\n\r\n<Response/>")
    async with serving_raw(closing) as server, client_to_loopback() as client:
        assert (await client.fetch_document(document(server.url()))).body == b"<Response/>"


async def test_error_tells_code_problem_url_and_time() -> None:
    async with serving(answer(status="503 Busy", retry_after="7")) as server, client_to_loopback() as client:
        error = await failure_of(client, document(server.url("/v?a=1#rc=0", "u:p@127.0.0.1")))

        assert (error.code, error.problem) == (Code.HTTP_FAILURE, "the server answered 503")
        assert (error.url, error.status, error.retry_after_s) == (server.url("/v?a=1"), 503, 7)
        assert error.elapsed_ms >= 0
        assert "a=1" not in str(error)


async def test_a_content_type_that_is_not_utf_8_can_still_be_written_down() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; a=\xff\r\nContent-Length: 11\r\n\r\n<Response/>"
    async with serving(reply) as server, client_to_loopback() as client:
        assert (await client.fetch_document(document(server.url()))).content_type == "text/xml; a=?"
