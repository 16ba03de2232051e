"""Media nodes for the tests: real shelf servers on loopback, each with folders of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from controlplane.files.folder import Folder
from controlplane.files.remote_shelf import RemoteShelf
from controlplane.files.shelf import DirectoryShelf, NodeFolders, Shelf
from controlplane.files.shelf_server import ShelfServer

TOKEN = "0123456789abcdef-token"


@dataclass(frozen=True, slots=True)
class Node:
    """A node's folders as it sees them, and the address of its shelf server if it runs one."""

    prompts: Path
    recordings: Path
    port: int = 0

    def remote_shelf(self, *, token: str = TOKEN, timeout_s: float = 5.0) -> RemoteShelf:
        return RemoteShelf(f"http://127.0.0.1:{self.port}", token, self._folders(), timeout_s=timeout_s)

    @contextmanager
    def any_shelf(self) -> Iterator[Shelf]:
        """Over HTTP if the node runs a server, else over the folders."""
        if not self.port:
            yield DirectoryShelf(Folder(self.prompts, spare_disk=0.0), self.recordings, self._folders())
            return
        shelf = self.remote_shelf()
        yield shelf
        shelf.close()

    def _folders(self) -> NodeFolders:
        return NodeFolders(str(self.prompts), str(self.recordings))


@asynccontextmanager
async def plain_node(folder: Path) -> AsyncIterator[Node]:
    """A node whose folders we share."""
    node = Node(folder / "prompts", folder / "recordings")
    node.recordings.mkdir(parents=True)
    yield node


@asynccontextmanager
async def running_node(
    folder: Path, *, max_bytes: int = 1 << 30, max_prompt_bytes: int = 1 << 20
) -> AsyncIterator[Node]:
    """A node with a shelf server."""
    async with plain_node(folder) as node:
        prompts = Folder(node.prompts, max_bytes=max_bytes, spare_disk=0.0)
        app = ShelfServer(prompts, node.recordings, TOKEN, max_prompt_bytes=max_prompt_bytes)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
            serving = asyncio.create_task(server.serve([listener]))
            while not server.started:
                await asyncio.sleep(0.001)
            yield replace(node, port=listener.getsockname()[1])
            server.should_exit = True
            await serving
