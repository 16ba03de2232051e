"""The switchboard (peers/switchboard.py) as a process, asked from here."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from bench.peers.switchboard import PASSWORD, serve

NUMBER = "+15550002222"
__all__ = ["NUMBER", "PASSWORD", "LeanNode", "lean_node"]


@dataclass(frozen=True, slots=True)
class LeanNode:
    """A media node that only speaks the protocol."""

    address: str
    pid: int
    _pipe: Connection

    async def ask(self, method: str, *arguments: object) -> Any:
        """Have it do something (a method of Switchboard, or `set` with a field and its value), and wait for that."""
        self._pipe.send((method, *arguments))
        return await asyncio.to_thread(self._pipe.recv)


@contextmanager
def lean_node() -> Iterator[LeanNode]:
    """The node, while the block runs."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, NUMBER), daemon=True)
    process.start()
    theirs.close()  # so that a process that dies is noticed
    assert process.pid is not None
    try:
        yield LeanNode(f"127.0.0.1:{ours.recv()}", process.pid, ours)
    finally:
        process.terminate()
        process.join()
