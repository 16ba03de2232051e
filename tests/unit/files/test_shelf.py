"""Where a media node finds prompts and leaves recordings: over a shared folder, and over HTTP with real servers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from controlplane.base.errors import BadInput
from controlplane.files.errors import FilesUnavailable, NoRoom, RecordingAbsent, ShelfUnavailable
from controlplane.files.folder import Folder
from controlplane.files.remote_shelf import RemoteShelf
from controlplane.files.shelf import DirectoryShelf, NodeFolders, Shelf
from controlplane.files.shelf_server import ShelfServer
from tests.unit.files.nodes import TOKEN, Node, plain_node, running_node

NAME = "say-00.wav"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node(tmp_path / "node") as running:
        yield running


@pytest.fixture(params=["directory", "remote"])
async def node_of_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Node]:
    context = running_node if request.param == "remote" else plain_node
    async with context(tmp_path / "node") as opened:
        yield opened


@pytest.fixture
def shelf(node_of_shelf: Node) -> Iterator[Shelf]:
    with node_of_shelf.any_shelf() as opened:
        yield opened


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    path = tmp_path / "made.wav"
    path.write_bytes(os.urandom(300_000))
    return path


async def test_a_prompt_is_placed_where_the_node_finds_it(shelf: Shelf, node_of_shelf: Node, prompt: Path) -> None:
    path = await shelf.place(NAME, prompt)

    assert path == f"{node_of_shelf.prompts}/{NAME}"
    assert Path(path).read_bytes() == prompt.read_bytes()
    assert os.listdir(node_of_shelf.prompts) == [NAME]


async def test_placing_a_prompt_again_keeps_it_young_and_writes_nothing(
    shelf: Shelf, node_of_shelf: Node, prompt: Path, tmp_path: Path
) -> None:
    path = Path(await shelf.place(NAME, prompt))
    inode = path.stat().st_ino
    os.utime(path, times=(1.0, 1.0))

    await shelf.place(NAME, prompt)

    assert path.stat().st_ino == inode
    assert time.time() - path.stat().st_mtime < 60


async def test_a_prompt_that_was_made_in_the_shared_folder_stays_as_it_is(node: Node) -> None:
    node.prompts.mkdir()
    (node.prompts / NAME).write_bytes(b"made here")
    shelf = DirectoryShelf(Folder(node.prompts), node.recordings, NodeFolders("/media/prompts", "/media/recordings"))

    assert await shelf.place(NAME, node.prompts / NAME) == f"/media/prompts/{NAME}"


async def test_many_place_one_prompt_at_once(shelf: Shelf, node_of_shelf: Node, prompt: Path) -> None:
    await asyncio.gather(*(shelf.place(NAME, prompt) for _ in range(20)))

    assert os.listdir(node_of_shelf.prompts) == [NAME]
    assert (node_of_shelf.prompts / NAME).read_bytes() == prompt.read_bytes()


async def test_a_recording_is_collected_and_discarded(shelf: Shelf, node_of_shelf: Node, tmp_path: Path) -> None:
    content = os.urandom(700_000)
    (node_of_shelf.recordings / "rec_1.wav").write_bytes(content)

    path = await shelf.collect("rec_1.wav", tmp_path)
    assert path.read_bytes() == content

    await shelf.discard("rec_1.wav")
    await shelf.discard("rec_1.wav")
    assert os.listdir(node_of_shelf.recordings) == []
    with pytest.raises(RecordingAbsent):
        await shelf.collect("rec_1.wav", tmp_path)


async def test_an_empty_recording_is_a_recording(shelf: Shelf, node_of_shelf: Node, tmp_path: Path) -> None:
    (node_of_shelf.recordings / "rec_1.wav").write_bytes(b"")

    assert (await shelf.collect("rec_1.wav", tmp_path)).read_bytes() == b""


@pytest.mark.parametrize("name", ["../secret", ".hidden", "a/b", "", "a b", "-x", "a%2fb"])
async def test_names_that_are_none_go_nowhere(shelf: Shelf, tmp_path: Path, prompt: Path, name: str) -> None:
    with pytest.raises(BadInput):
        await shelf.place(name, prompt)
    with pytest.raises(BadInput):
        await shelf.collect(name, tmp_path)
    with pytest.raises(BadInput):
        await shelf.discard(name)
    with pytest.raises(BadInput):
        shelf.folders.recording_path(name)


def test_a_node_is_told_its_own_paths() -> None:
    folders = NodeFolders("/media/prompts", "/media/recordings")

    assert folders.prompt_path("say-00.wav") == "/media/prompts/say-00.wav"
    assert folders.recording_path("rec_1.wav") == "/media/recordings/rec_1.wav"


async def test_two_nodes_have_what_was_placed_on_each(tmp_path: Path, prompt: Path) -> None:
    async with running_node(tmp_path / "one") as one, running_node(tmp_path / "two") as two:
        shelves = [one.remote_shelf(), two.remote_shelf()]
        await asyncio.gather(*(shelf.place(NAME, prompt) for shelf in shelves))
        await shelves[0].place("say-01.wav", prompt)

        assert (sorted(os.listdir(one.prompts)), os.listdir(two.prompts)) == ([NAME, "say-01.wav"], [NAME])
        for shelf in shelves:
            shelf.close()


async def test_a_wrong_token_opens_nothing(node: Node, prompt: Path, tmp_path: Path) -> None:
    (node.recordings / "rec_1.wav").write_bytes(b"secret")
    shelf = node.remote_shelf(token="another-token-entirely")

    with pytest.raises(ShelfUnavailable, match="401"):
        await shelf.place(NAME, prompt)
    with pytest.raises(ShelfUnavailable, match="401"):
        await shelf.collect("rec_1.wav", tmp_path)
    with pytest.raises(ShelfUnavailable, match="401"):
        await shelf.discard("rec_1.wav")
    assert (node.recordings / "rec_1.wav").exists()
    shelf.close()


async def test_a_prompt_that_is_too_large_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 20_000)
    async with running_node(tmp_path / "node", max_prompt_bytes=10_000) as node:
        shelf = node.remote_shelf()
        with pytest.raises(ShelfUnavailable):
            await shelf.place(NAME, tmp_path / "large")
        assert os.listdir(node.prompts) == []
        shelf.close()


async def test_a_node_that_is_full_says_so(tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"x" * 600)
    async with running_node(tmp_path / "node", max_bytes=1000) as node:
        shelf = node.remote_shelf()
        await shelf.place("a.wav", tmp_path / "made")
        with pytest.raises(NoRoom, match="full of prompts in use"):
            await shelf.place("b.wav", tmp_path / "made")
        os.utime(node.prompts / "a.wav", times=(1.0, 1.0))
        await shelf.place("b.wav", tmp_path / "made")
        assert os.listdir(node.prompts) == ["b.wav"]
        shelf.close()


async def test_a_node_that_is_gone_is_out_of_reach(prompt: Path) -> None:
    shelf = RemoteShelf("http://127.0.0.1:9", TOKEN, NodeFolders("/p", "/r"), timeout_s=1)
    with pytest.raises(ShelfUnavailable, match="does not answer: ConnectionRefusedError"):
        await shelf.place(NAME, prompt)
    shelf.close()


async def test_a_node_that_does_not_answer_is_given_up(prompt: Path) -> None:
    gone = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        gone.set()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    shelf = RemoteShelf(f"http://127.0.0.1:{port}", TOKEN, NodeFolders("/p", "/r"), timeout_s=0.2)

    with pytest.raises(ShelfUnavailable, match="does not answer: TimeoutError"):
        await shelf.place(NAME, prompt)
    await gone.wait()

    shelf.close()
    server.close()


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", "97 bytes of a recording are missing"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "answered 500"),
        (b"SSH-2.0-something\r\n", "does not answer"),
        (b"", "does not answer"),
    ],
)
async def test_a_broken_answer_is_no_recording(tmp_path: Path, answer: bytes, problem: str) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    shelf = RemoteShelf(f"http://127.0.0.1:{port}", TOKEN, NodeFolders("/p", "/r"))

    with pytest.raises(FilesUnavailable, match=problem):
        await shelf.collect("rec_1.wav", tmp_path)

    shelf.close()
    server.close()


@pytest.mark.parametrize("url", ["127.0.0.1:80", "ftp://node", "http://", "http://node/shelf"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the address of a shelf is"):
        RemoteShelf(url, TOKEN, NodeFolders("/p", "/r"))


def test_a_server_without_a_real_token_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="16 characters"):
        ShelfServer(Folder(tmp_path), tmp_path, "")
