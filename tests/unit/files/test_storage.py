"""Where recordings are kept: the same behaviour from a folder and from an S3-compatible service."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from controlplane.base.errors import BadInput, NotFound
from controlplane.files.errors import StorageUnavailable
from controlplane.files.storage import Bucket, Storage, parse_bucket, storage_in_bucket, storage_in_folder

KEY = "acc_01/rec_01.wav"


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def bucket_at(endpoint: str, name: str) -> Bucket:
    return Bucket(name, "kept", endpoint, "eu-west-1", "key", "secret")


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return storage_in_folder(tmp_path / "kept")
    endpoint = request.getfixturevalue("s3_endpoint")
    name = f"calls-{os.urandom(4).hex()}"
    with urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT")) as answer:
        assert answer.status == 200
    return storage_in_bucket(bucket_at(endpoint, name))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    path.write_bytes(os.urandom(1 << 20))
    return path


async def test_a_file_is_kept_and_read_back(storage: Storage, recording: Path, tmp_path: Path) -> None:
    await storage.put_file(KEY, recording)
    await storage.get_file(KEY, tmp_path / "b.wav")

    assert (tmp_path / "b.wav").read_bytes() == recording.read_bytes()
    assert (await storage.exists(KEY), await storage.size(KEY)) == (True, 1 << 20)
    assert sorted(os.listdir(tmp_path)) in (["a.wav", "b.wav"], ["a.wav", "b.wav", "kept"])


async def test_a_file_of_several_parts_is_kept_whole(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(os.urandom(12 << 20))

    await storage.put_file(KEY, tmp_path / "big")
    pieces = [piece async for piece in storage.open_stream(KEY)]

    assert b"".join(pieces) == (tmp_path / "big").read_bytes()
    assert len(pieces) > 1


async def test_keeping_a_file_again_replaces_it(storage: Storage, recording: Path, tmp_path: Path) -> None:
    await storage.put_file(KEY, recording)
    recording.write_bytes(b"second")

    await storage.put_file(KEY, recording)

    assert [piece async for piece in storage.open_stream(KEY)] == [b"second"]


async def test_a_file_that_is_not_there_is_said_to_be_missing(storage: Storage, tmp_path: Path) -> None:
    assert await storage.exists(KEY) is False
    with pytest.raises(NotFound):
        await storage.size(KEY)
    with pytest.raises(NotFound):
        await storage.get_file(KEY, tmp_path / "b.wav")
    with pytest.raises(NotFound):
        await anext(storage.open_stream(KEY))
    assert not (tmp_path / "b.wav").exists()


async def test_deleting_twice_is_as_good_as_once(storage: Storage, recording: Path) -> None:
    await storage.put_file(KEY, recording)

    await storage.delete(KEY)
    await storage.delete(KEY)

    assert await storage.exists(KEY) is False


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a b", ".a", "a\nb"])
async def test_keys_are_safe_names_with_slashes_between(storage: Storage, recording: Path, key: str) -> None:
    with pytest.raises(BadInput):
        await storage.put_file(key, recording)


async def test_a_folder_has_no_links_to_sign(tmp_path: Path) -> None:
    assert await storage_in_folder(tmp_path / "kept").signed_url(KEY, 60) is None


@pytest.mark.parametrize("storage", ["bucket"], indirect=True)
async def test_a_bucket_signs_links_that_anyone_can_download_by(storage: Storage, recording: Path) -> None:
    await storage.put_file(KEY, recording)

    url = await storage.signed_url(KEY, 60)

    assert url is not None
    assert "X-Amz-Expires=60" in url
    assert "/kept/acc_01/rec_01.wav?" in url
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == recording.read_bytes()


async def test_a_folder_is_laid_out_as_the_keys_say(tmp_path: Path, recording: Path) -> None:
    await storage_in_folder(tmp_path / "kept").put_file(KEY, recording)

    assert [str(path.relative_to(tmp_path)) for path in (tmp_path / "kept").rglob("*") if path.is_file()] == [
        "kept/acc_01/rec_01.wav"
    ]


async def test_a_bucket_that_is_not_there_is_out_of_reach_or_empty(s3_endpoint: str, recording: Path) -> None:
    storage = storage_in_bucket(bucket_at(s3_endpoint, "no-such-bucket"))

    with pytest.raises((StorageUnavailable, NotFound)):
        await storage.put_file(KEY, recording)


async def test_a_service_that_is_gone_is_out_of_reach(recording: Path) -> None:
    storage = storage_in_bucket(bucket_at("http://127.0.0.1:9", "calls"))

    with pytest.raises(StorageUnavailable):
        await storage.put_file(KEY, recording)


def test_an_address_is_a_bucket_or_a_folder() -> None:
    assert parse_bucket("s3://calls/a/b/") == ("calls", "a/b")
    assert parse_bucket("s3://calls") == ("calls", "")
    assert parse_bucket("/var/lib/callplane/recordings") is None
    with pytest.raises(ValueError, match="s3://bucket"):
        parse_bucket("s3:///prefix")


def test_a_bucket_keeps_its_secret_out_of_sight() -> None:
    assert "hush" not in repr(Bucket("calls", secret_key="hush"))
