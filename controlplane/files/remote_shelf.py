"""The shelf of a media node that shares no folder with us, over HTTP (files/shelf_server.py runs there).

The standard library's client in a few threads of its own: a node that is gone holds up these and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from controlplane.files.errors import NoRoom, RecordingAbsent, ShelfUnavailable, disk_trouble
from controlplane.files.names import safe_name
from controlplane.files.shelf import NodeFolders

_CHUNK_BYTES = 256 << 10
_OK, _CREATED, _NO_CONTENT, _NOT_FOUND, _FULL = 200, 201, 204, 404, 507


class RemoteShelf:
    """Speaks with one node's shelf server at `base_url` (http or https, no path). `timeout_s` bounds each step."""

    def __init__(
        self, base_url: str, token: str, node: NodeFolders, *, timeout_s: float = 5.0, at_once: int = 4
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError(f"the address of a shelf is http://host:port or https://host:port, not {base_url}")
        self._host, self._port = parts.hostname, parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._headers = {"Authorization": f"Bearer {token}"}
        self._node, self._timeout_s = node, timeout_s
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="shelf")

    @property
    def folders(self) -> NodeFolders:
        """See Shelf."""
        return self._node

    async def place(self, name: str, source: Path) -> str:
        """See Shelf."""
        path = self._node.prompt_path(name)
        await self._in_thread(lambda node: self._place(node, f"/prompts/{name}", source))
        return path

    async def collect(self, name: str, work: Path, /) -> Path:
        """See Shelf; a copy in `work`."""
        target = work / safe_name(name)
        await self._in_thread(lambda node: self._collect(node, f"/recordings/{name}", target))
        return target

    async def discard(self, name: str) -> None:
        """See Shelf."""
        path = f"/recordings/{safe_name(name)}"
        await self._in_thread(lambda node: _expect(self._status(node, "DELETE", path), _NO_CONTENT))

    def close(self) -> None:
        """Begin nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _place(self, node: HTTPConnection, path: str, source: Path) -> None:
        status = self._status(node, "HEAD", path)
        if status == _OK:
            return
        _expect(status, _NOT_FOUND)
        with disk_trouble("a prompt cannot be read"):
            file = source.open("rb")
        with file:
            size_bytes = os.fstat(file.fileno()).st_size
            _expect(self._status(node, "PUT", path, file, size_bytes), _CREATED)

    def _collect(self, node: HTTPConnection, path: str, target: Path) -> None:
        node.request("GET", path, headers=self._headers)
        answer = node.getresponse()
        if answer.status == _NOT_FOUND:
            raise RecordingAbsent(None)
        _expect(answer.status, _OK)
        with disk_trouble("a recording cannot be written"):
            file = target.open("wb")
        with file:
            while chunk := answer.read(_CHUNK_BYTES):
                with disk_trouble("a recording cannot be written"):
                    file.write(chunk)
        if answer.length:
            raise ShelfUnavailable(f"{answer.length} bytes of a recording are missing")

    def _status(
        self, node: HTTPConnection, method: str, path: str, body: BinaryIO | None = None, size_bytes: int = 0
    ) -> int:
        size = {"Content-Length": str(size_bytes)} if body is not None else {}
        node.request(method, path, body, self._headers | size)
        answer = node.getresponse()
        answer.read()
        return answer.status

    async def _in_thread(self, work: Callable[[HTTPConnection], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._with_node, work)

    def _with_node(self, work: Callable[[HTTPConnection], None]) -> None:
        with closing(self._connection()) as node:
            try:
                work(node)
            except (OSError, HTTPException) as error:
                raise ShelfUnavailable(f"the media node's shelf does not answer: {type(error).__name__}") from error

    def _connection(self) -> HTTPConnection:
        if self._tls is not None:
            return HTTPSConnection(self._host, self._port, timeout=self._timeout_s, context=self._tls)
        return HTTPConnection(self._host, self._port, timeout=self._timeout_s)


def _expect(status: int, wanted: int) -> None:
    if status == _FULL:
        raise NoRoom("the media node's prompts folder is full of prompts in use")
    if status != wanted:
        raise ShelfUnavailable(f"the media node's shelf answered {status}")
