"""The shelf of a media node that shares no folder with us: a small ASGI application that runs on the node.

    PUT, HEAD            /prompts/<name>       put a prompt there; ask whether it is there, which keeps it
    GET, HEAD, DELETE    /recordings/<name>    read, look at and remove a recording

Every request carries `Authorization: Bearer <token>`. It belongs on a private network, or behind TLS (uvicorn's
`--ssl-keyfile`), as the token and the recordings are in the clear otherwise.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import stat
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from controlplane.files.errors import FilesUnavailable, NoRoom
from controlplane.files.folder import Folder
from controlplane.files.names import is_safe_name

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

MAX_PROMPT_BYTES = 64 << 20  # 40 minutes are 38.4 MB
_CHUNK_BYTES = 256 << 10
_METHODS = {"prompts": ("HEAD", "PUT"), "recordings": ("DELETE", "GET", "HEAD")}


class ShelfServer:
    """The ASGI application."""

    def __init__(
        self, prompts: Folder, recordings: Path, token: str, *, max_prompt_bytes: int = MAX_PROMPT_BYTES
    ) -> None:
        if len(token) < 16:
            raise ValueError("the token of a shelf must have 16 characters or more")
        self._prompts, self._recordings = prompts, recordings
        self._authorization = f"Bearer {token}".encode()
        self._max_prompt_bytes = max_prompt_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request (or the server's start and stop)."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Message, receive: Receive, send: Send) -> None:
        if not hmac.compare_digest(dict(scope["headers"]).get(b"authorization", b""), self._authorization):
            await _answer(send, 401, (b"www-authenticate", b"Bearer"))
            return
        _, _, rest = scope["path"].partition("/")
        kind, _, name = rest.partition("/")
        if kind not in _METHODS or not is_safe_name(name):
            await _answer(send, 404)
        elif scope["method"] not in _METHODS[kind]:
            await _answer(send, 405, (b"allow", ", ".join(_METHODS[kind]).encode()))
        elif kind == "prompts":
            await self._serve_prompt(scope["method"], name, receive, send)
        else:
            await self._serve_recording(scope["method"], name, send)

    async def _serve_prompt(self, method: str, name: str, receive: Receive, send: Send) -> None:
        try:
            if method == "HEAD":
                found = await asyncio.to_thread(self._prompts.maybe_find, name)
                await _answer(send, 404 if found is None else 200)
                return
            await _answer(send, await self._put(name, receive))
        except NoRoom:
            await _answer(send, 507)
        except FilesUnavailable:
            await _answer(send, 503)

    async def _put(self, name: str, receive: Receive) -> int:
        """Take the body in and give it its name when it is whole; answer the status."""
        size_bytes, is_whole = 0, False
        async with self._prompts.partial() as partial:
            with partial.open("wb") as file:
                while not is_whole:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return 400
                    body = message.get("body", b"")
                    size_bytes += len(body)
                    if size_bytes > self._max_prompt_bytes:
                        return 413
                    await asyncio.to_thread(file.write, body)
                    is_whole = not message.get("more_body", False)
            await asyncio.to_thread(self._prompts.take, partial, name)
        return 201

    async def _serve_recording(self, method: str, name: str, send: Send) -> None:
        path = self._recordings / name
        try:
            if method == "DELETE":
                await asyncio.to_thread(path.unlink, missing_ok=True)
                await _answer(send, 204)
                return
            with await asyncio.to_thread(_open_regular, path) as file:
                await _send_file(send, file, has_body=method == "GET")
        except FileNotFoundError:
            await _answer(send, 404)
        except OSError:
            await _answer(send, 503)


def _open_regular(path: Path) -> BinaryIO:
    """Open a plain file; what is a link, folder or device counts as not there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise FileNotFoundError(path) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError(path)
    return os.fdopen(descriptor, "rb")


async def _send_file(send: Send, file: BinaryIO, *, has_body: bool) -> None:
    """Send a file as long as it is now; one that shrinks under way breaks the answer off, as the peer then sees."""
    left_bytes = os.fstat(file.fileno()).st_size
    await _start(send, 200, (b"content-length", str(left_bytes).encode()), (b"content-type", b"audio/wav"))
    while has_body and left_bytes:
        chunk = await asyncio.to_thread(file.read, min(_CHUNK_BYTES, left_bytes))
        if not chunk:
            return
        left_bytes -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": left_bytes > 0})
    if not has_body or not os.fstat(file.fileno()).st_size:
        await send({"type": "http.response.body", "body": b""})


async def _answer(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    await _start(send, status, (b"content-length", b"0"), *headers)
    await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
