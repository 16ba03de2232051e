"""Media nodes that are alive, asked over their event socket what they still have.

`show calls` is a view of `show channels` (switch_core_sqldb.c), so that asking for channels is enough. A node lists
scheduled tasks until its scheduler has come by, which is within a second or so of their end.
"""

from __future__ import annotations

import json
import socket
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from tests.chaos.ledger.reading import CannotLook

_TIMEOUT_S = 5.0
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node's event socket is."""

    name: str
    host: str
    port: int
    password: str


@dataclass(frozen=True, slots=True)
class LiveNode:
    """What a node has: channels as (UUID, state and numbers), tasks as (group, description)."""

    name: str
    channels: tuple[tuple[str, str], ...] = ()
    tasks: tuple[tuple[str, str], ...] = ()


def parse_address(text: str) -> Address:
    """`NAME=HOST:PORT:PASSWORD`; raises ValueError."""
    name, equals, rest = text.partition("=")
    host, _, more = rest.partition(":")
    port, colon, password = more.partition(":")
    if not (name and equals and host and port.isdecimal() and colon and password):
        raise ValueError(f"{text!r} is not NAME=HOST:PORT:PASSWORD")
    return Address(name, host, int(port), password)


def ask_node(address: Address) -> LiveNode:
    """Look at a node; raises CannotLook."""
    try:
        with closing(_Link(address)) as link:
            channels = link.rows("show channels as json")
            tasks = link.rows("show tasks as json")
    except (OSError, ValueError) as error:
        raise CannotLook(f"node {address.name}: {error}") from error
    return LiveNode(
        address.name,
        tuple((row["uuid"], f"{row['state']}, {row['cid_num']} to {row['dest']}") for row in channels),
        tuple((row["task_group"], row["task_desc"]) for row in tasks),
    )


class _Link:
    """A visit to an event socket: one command, one answer. Raises OSError, and ValueError for what it cannot read."""

    def __init__(self, address: Address) -> None:
        self._socket = socket.create_connection((address.host, address.port), _TIMEOUT_S)
        self._reader = self._socket.makefile("rb")
        self._frame()
        answer, _ = self._ask(f"auth {address.password}")
        if not answer.get("reply-text", "").startswith("+OK"):
            raise ValueError("the password is not taken")

    def close(self) -> None:
        self._reader.close()
        self._socket.close()

    def rows(self, command: str) -> list[dict[str, Any]]:
        """The rows of a `show … as json`."""
        _, body = self._ask(f"api {command}")
        told = json.loads(body)
        rows: list[dict[str, Any]] = told.get("rows", [])
        if told["row_count"] != len(rows):
            raise ValueError(f"{command}: {told['row_count']} rows told, {len(rows)} shown")
        return rows

    def _ask(self, command: str) -> tuple[dict[str, str], str]:
        self._socket.sendall(f"{command}\n\n".encode())
        return self._frame()

    def _frame(self) -> tuple[dict[str, str], str]:
        headers: dict[str, str] = {}
        while (line := self._reader.readline().decode("utf-8", "replace").rstrip("\n")) or not headers:
            if not line:
                raise ConnectionError("the event socket was closed")
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        length = int(headers.get("content-length", "0"))
        if length > _MOST_BYTES:
            raise ValueError(f"an answer of {length} bytes")
        return headers, self._reader.read(length).decode("utf-8", "replace")
