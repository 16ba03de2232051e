"""The shelf server, spoken to by hand over a real socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.files.nodes import TOKEN, Node, running_node

AUTHORIZATION = f"Authorization: Bearer {TOKEN}\r\n"


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    async with running_node(tmp_path / "node", max_prompt_bytes=1000) as running:
        yield running


async def ask(node: Node, head: str, body: bytes = b"", *, hangs_up: bool = False) -> tuple[int, bytes]:
    """Send a request as written; answer status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(f"{head}Host: node\r\nConnection: close\r\n\r\n".encode() + body)
    if hangs_up:
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        return 0, b""
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("GET / HTTP/1.1", 404),
        ("GET /recordings HTTP/1.1", 404),
        ("GET /recordings/ HTTP/1.1", 404),
        ("GET /recordings/.hidden HTTP/1.1", 404),
        ("GET /recordings/../secret HTTP/1.1", 404),
        ("GET /recordings/%2e%2e%2fsecret HTTP/1.1", 404),
        ("GET /recordings/a%00b HTTP/1.1", 404),
        ("GET /recordings/a/b HTTP/1.1", 404),
        ("GET //recordings/a HTTP/1.1", 404),
        ("GET /recordings/link HTTP/1.1", 404),
        ("GET /recordings/folder HTTP/1.1", 404),
        ("GET /recordings/pipe HTTP/1.1", 404),
        ("PUT /recordings/a HTTP/1.1", 405),
        ("GET /prompts/a HTTP/1.1", 405),
        ("DELETE /prompts/a HTTP/1.1", 405),
        ("HEAD /prompts/a HTTP/1.1", 404),
        ("HEAD /recordings/real HTTP/1.1", 200),
        ("GET /recordings/real HTTP/1.1", 200),
    ],
)
async def test_only_plain_files_of_the_two_folders_are_served(node: Node, line: str, status: int) -> None:
    (node.recordings.parent / "secret").write_text("secret")
    (node.recordings / "link").symlink_to(node.recordings.parent / "secret")
    (node.recordings / "folder").mkdir()
    os.mkfifo(node.recordings / "pipe")
    (node.recordings / "real").write_bytes(b"sound")

    answer = await ask(node, f"{line}\r\n{AUTHORIZATION}")

    assert answer == (status, b"sound" if line.startswith("GET /recordings/real") else b"")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Authorization: Bearer\r\n",
        "Authorization: Basic eDp5\r\n",
        f"Authorization: Bearer {TOKEN}x\r\n",
        f"Authorization: bearer {TOKEN}\r\n",
    ],
)
async def test_who_does_not_know_the_token_learns_nothing(node: Node, header: str) -> None:
    (node.recordings / "real").write_bytes(b"sound")

    for path in ("real", "missing"):
        assert await ask(node, f"GET /recordings/{path} HTTP/1.1\r\n{header}") == (401, b"")
    assert await ask(node, f"DELETE /recordings/real HTTP/1.1\r\n{header}") == (401, b"")
    assert (node.recordings / "real").exists()


async def test_a_body_in_chunks_is_taken(node: Node) -> None:
    head = f"PUT /prompts/a.wav HTTP/1.1\r\n{AUTHORIZATION}Transfer-Encoding: chunked\r\n"

    assert (await ask(node, head, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))[0] == 201
    assert (node.prompts / "a.wav").read_bytes() == b"abcde"


async def test_a_body_is_bounded_whatever_it_says_of_itself(node: Node) -> None:
    head = f"PUT /prompts/a.wav HTTP/1.1\r\n{AUTHORIZATION}"
    chunk = b"400\r\n" + b"x" * 0x400 + b"\r\n"

    assert (await ask(node, f"{head}Content-Length: 1001\r\n", b"x" * 1001))[0] == 413
    assert (await ask(node, f"{head}Transfer-Encoding: chunked\r\n", chunk * 3 + b"0\r\n\r\n"))[0] == 413
    assert os.listdir(node.prompts) == []


async def test_a_body_that_stops_short_leaves_nothing(node: Node) -> None:
    head = f"PUT /prompts/a.wav HTTP/1.1\r\n{AUTHORIZATION}Content-Length: 500\r\n"

    await ask(node, head, b"x" * 100, hangs_up=True)
    assert (await ask(node, f"HEAD /prompts/a.wav HTTP/1.1\r\n{AUTHORIZATION}"))[0] == 404
    while not node.prompts.exists() or os.listdir(node.prompts):
        await asyncio.sleep(0.001)


async def test_a_recording_of_many_chunks_is_sent_whole(node: Node) -> None:
    content = os.urandom(3_000_001)
    (node.recordings / "a.wav").write_bytes(content)

    assert await ask(node, f"GET /recordings/a.wav HTTP/1.1\r\n{AUTHORIZATION}") == (200, content)
