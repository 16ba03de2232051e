"""Redirects that go on and on, or lead where nobody may be led."""

from __future__ import annotations

from controlplane.hooks.errors import Code
from tests.unit.hooks.hell import drips, floods, redirects_to, says, says_and_closes
from tests.unit.hooks.servers import Answer, Handler, Seen, answer, read_request, redirect

HOSTS = ("ping.test", "pong.test")  # both are this server


def replies(reply: Answer) -> Handler:
    """Answer each request, and keep the connection."""

    async def handle(reader, writer) -> None:  # type: ignore[no-untyped-def]
        while (request := await read_request(reader)) is not None:
            writer.write(reply(request))
            await writer.drain()

    return handle


def counts(request: Seen) -> bytes:
    """Lead from one path to the next, for ever."""
    place = request.path.removeprefix("/")
    return redirect(f"/{int(place) + 1 if place.isdigit() else 0}")


def plays_ping_pong(request: Seen) -> bytes:
    """Lead from one host to another, and back."""
    host, _, port = request.headers["host"].partition(":")
    return redirect(f"http://{HOSTS[host == HOSTS[0]]}:{port}/", "307 Temporary Redirect")


def changes_the_method(request: Seen) -> bytes:
    """303 makes a GET of it, and 307 leads that on; the last says what came."""
    match request.path.partition("?")[0]:
        case "/voice":
            return redirect("/get", "303 See Other")
        case "/get":
            return redirect("/last", "307 Temporary Redirect")
    assert (request.method, request.body) == ("GET", b""), request
    return answer()


def grows(request: Seen) -> bytes:
    """Each location is twice as long as the one before."""
    return redirect(request.path * 2)


TABLE: dict[str, tuple[Handler, int | None]] = {
    "redirects in numbers without end": (replies(counts), Code.REDIRECTS),
    "redirects between two hosts": (replies(plays_ping_pong), Code.REDIRECTS),
    "redirects to other methods": (replies(changes_the_method), None),
    "redirects to ever longer paths": (replies(grows), Code.PROTOCOL_VIOLATION),
    "redirects without end, each closed": (
        says_and_closes(redirect("/voice", "308 Permanent Redirect", connection="close")),
        Code.REDIRECTS,
    ),
    "redirects to loopback's other names": (says(redirects_to(b"http://0/")), Code.BAD_HOST),
    "redirects to link-local": (says(redirects_to(b"http://[fe80::1]/")), Code.BAD_HOST),
    "redirects to mapped metadata": (says(redirects_to(b"http://[::ffff:a9fe:a9fe]/")), Code.BAD_HOST),
    "redirects to a name inside": (says(redirects_to(b"http://metadata.test/")), Code.BAD_HOST),
    "redirects to a name that is not": (says(redirects_to(b"http://nowhere.test/")), Code.BAD_HOST),
    "redirects to gopher": (says(redirects_to(b"gopher://127.0.0.1:6379/_x")), Code.URL_NOT_VALID),
    "redirects to a script": (says(redirects_to(b"javascript:alert(1)")), Code.URL_NOT_VALID),
    "redirects to a port too high": (says(redirects_to(b"http://127.0.0.1:65536/")), Code.URL_NOT_VALID),
    "redirects to a port that is shut": (says(redirects_to(b"http://127.0.0.1:9/")), Code.CONNECTION_FAILURE),
    "redirects to the void": (says(redirects_to(b"")), Code.PROTOCOL_VIOLATION),
    "redirects with a NUL": (says(redirects_to(b"/a\0b")), Code.PROTOCOL_VIOLATION),
    "redirects with two locations": (
        says(b"HTTP/1.1 302 Found\r\nLocation: http://0/\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n"),
        Code.BAD_HOST,
    ),
    "redirects with 8 KB of location": (says(redirects_to(b"/" + b"a" * 8100)), Code.URL_NOT_VALID),
    "redirects and floods": (floods(b"HTTP/1.1 302 Found\r\nLocation: http://0/\r\n\r\n", bytes(65536)), Code.BAD_HOST),
}
SLOW: dict[str, tuple[Handler, int | None]] = {
    "drips a location": (drips(b"HTTP/1.1 302 Found\r\nLocation: /", b"a"), Code.CONNECTION_FAILURE),
}
