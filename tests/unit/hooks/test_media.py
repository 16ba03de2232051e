import asyncio
import gzip
from pathlib import Path

import pytest

from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.limits import Limits
from controlplane.hooks.messages import Freshness, MediaFetched, MediaRequest, MediaUnchanged, Validators
from tests.still_time import StillTime
from tests.unit.hooks.asking import after, client_to_loopback, document
from tests.unit.hooks.hell import SLOW, floods, says
from tests.unit.hooks.servers import Seen, answer, redirect, serving, serving_raw

WAV = frozenset({"audio/wav", "audio/x-wav"})
SOUND = b"".join(number.to_bytes(4, "little") for number in range(600_000))


def wav(body: bytes = SOUND, **headers: str) -> bytes:
    return answer(body, content_type="Audio/WAV; rate=8000", **headers)


def media(url: str, into: Path, known: Validators | None = None, max_bytes: int = 5_000_000) -> MediaRequest:
    return MediaRequest(url, into, max_bytes, WAV, known)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "a.wav"


async def failure(request: MediaRequest) -> HookError:
    async with client_to_loopback() as client:
        with pytest.raises(HookError) as caught:
            await client.fetch_media(request)
    return caught.value


async def test_file_is_written_and_its_validators_are_told(into: Path) -> None:
    async with serving(wav(etag='"a"', last_modified="yesterday")) as server, client_to_loopback() as client:
        fetched = await client.fetch_media(media(server.url("/a.wav?b=1"), into))

        assert into.read_bytes() == SOUND
        assert isinstance(fetched, MediaFetched)
        assert fetched == MediaFetched(
            server.url("/a.wav?b=1"), "audio/wav", len(SOUND), Validators('"a"', "yesterday"), fetched.elapsed_ms
        )
        [request] = server.seen
        assert (request.method, request.path) == ("GET", "/a.wav?b=1")
        assert "x-twilio-signature" not in request.headers


async def test_known_file_that_did_not_change_is_not_fetched_again(into: Path) -> None:
    known = Validators('"a"', "Mon, 01 Jan 2024 00:00:00 GMT")
    async with serving(b"HTTP/1.1 304 Not Modified\r\n\r\n") as server, client_to_loopback() as client:
        unchanged = await client.fetch_media(media(server.url(), into, known))

        assert unchanged == MediaUnchanged(server.url(), known, unchanged.elapsed_ms)
        assert server.seen[0].headers["if-none-match"] == '"a"'
        assert server.seen[0].headers["if-modified-since"] == known.last_modified
        assert not into.exists()


@pytest.mark.parametrize("value", ["\x1b]0;title\x07", "a\rX-A: 1", "a\0b", "\x7f"])
async def test_a_validator_that_cannot_be_sent_back_is_not(value: str, into: Path) -> None:
    """A tenant's server may say anything; it is kept, and must not keep the file from being asked for again."""
    async with serving(wav(b"new")) as server, client_to_loopback() as client:
        await client.fetch_media(media(server.url(), into, Validators(value, value)))

    assert into.read_bytes() == b"new"
    assert not {"if-none-match", "if-modified-since", "x-a"} & set(server.seen[0].headers)


async def test_changed_file_replaces_the_old_one(into: Path) -> None:
    into.write_bytes(b"old")
    async with serving(wav(b"new")) as server, client_to_loopback() as client:
        await client.fetch_media(media(server.url(), into, Validators('"a"')))

    assert into.read_bytes() == b"new"


async def test_not_modified_without_being_asked_is_a_failure(into: Path) -> None:
    async with serving(b"HTTP/1.1 304 Not Modified\r\n\r\n") as server:
        assert (await failure(media(server.url(), into))).code == Code.HTTP_FAILURE


@pytest.mark.parametrize("content_type", ["text/html", "", "audio/ogg", "audio", "audio/wav2"])
async def test_type_that_cannot_be_played_is_refused(content_type: str, into: Path) -> None:
    async with serving(answer(content_type=content_type)) as server:
        error = await failure(media(server.url(), into))

    assert error.code == Code.MEDIA_TYPE


async def test_redirects_are_followed(into: Path) -> None:
    def reply(request: Seen) -> bytes:
        return wav(b"x") if request.path == "/b.wav" else redirect("/b.wav")

    async with serving(reply) as server, client_to_loopback() as client:
        fetched = await client.fetch_media(media(server.url("/a.wav"), into))

        assert fetched.url == server.url("/b.wav")


async def test_encoded_file_is_decoded(into: Path) -> None:
    packed = gzip.compress(SOUND)
    async with serving(wav(packed, content_encoding="gzip")) as server, client_to_loopback() as client:
        await client.fetch_media(media(server.url(), into))

    assert into.read_bytes() == SOUND


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (wav(bytes(1001)), Code.BODY_TOO_LARGE),
        (wav(gzip.compress(bytes(1001)), content_encoding="gzip"), Code.BODY_TOO_LARGE),
        (wav(b""), Code.BODY_EMPTY),
        (answer(status="404 No"), Code.HTTP_FAILURE),
        (redirect("http://169.254.169.254/a.wav"), Code.BAD_HOST),
    ],
    ids=["too large", "too large inside", "empty", "not found", "inside"],
)
async def test_failure_leaves_what_was_there_and_nothing_beside(reply: bytes, code: Code, into: Path) -> None:
    into.write_bytes(b"old")
    async with serving(reply) as server:
        error = await failure(media(server.url(), into, max_bytes=1000))

    assert error.code == code
    assert {path.name: path.read_bytes() for path in into.parent.iterdir()} == {"a.wav": b"old"}


async def test_silence_leaves_what_was_there_and_nothing_beside(into: Path, time: StillTime) -> None:
    into.write_bytes(b"old")
    async with serving(wav(b"x", content_length="900")) as server:
        error = await after(15, server, time, failure(media(server.url(), into)))

    assert error.code == Code.CONNECTION_FAILURE
    assert {path.name: path.read_bytes() for path in into.parent.iterdir()} == {"a.wav": b"old"}


async def test_endless_file_ends_at_its_bound(into: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n"
    async with serving_raw(floods(head, bytes(65536))) as server:
        assert (await failure(media(server.url(), into))).code == Code.BODY_TOO_LARGE


async def test_bomb_is_caught_by_its_ratio_before_its_size(into: Path) -> None:
    packed = gzip.compress(bytes(50_000_000))
    reply = wav(packed, content_encoding="gzip")
    async with serving_raw(says(reply)) as server:
        error = await failure(media(server.url(), into, max_bytes=100_000_000))

    assert (error.code, list(into.parent.iterdir())) == (Code.BODY_TOO_LARGE, [])


async def test_dripping_server_is_left_at_the_deadline(into: Path, time: StillTime) -> None:
    handler, code = SLOW["drips a header line"]
    async with serving_raw(handler) as server:
        error = await after(60, server, time, failure(media(server.url(), into)))

    assert error.code == code


async def test_a_file_says_how_long_it_stays_as_it_is(into: Path) -> None:
    async with serving(wav(cache_control="max-age=5", age="2")) as server, client_to_loopback() as client:
        fetched = await client.fetch_media(media(server.url(), into))
        assert fetched.freshness == Freshness("max-age=5", "2")


async def test_slow_files_take_no_place_from_documents(into: Path) -> None:
    """A file may take four times as long as a document, and nothing says whose it is."""
    limits = Limits(at_once=2, per_lane=2, retry_pause_ms=0)
    async with serving() as quick, serving_raw(says(b"")) as slow, client_to_loopback(limits) as client:
        fetching = [asyncio.create_task(client.fetch_media(media(slow.url(), into))) for _ in range(2)]
        await slow.has_connections(2)

        fetched = await client.fetch_document(document(quick.url()))

        assert fetched.body == b"<Response/>"
        for task in fetching:
            task.cancel()
        await asyncio.gather(*fetching, return_exceptions=True)
