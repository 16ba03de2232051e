"""Every behaviour of the server from hell: what it does with a connection, and how a request for a document may end.

What a server can do in plain HTTP stands in tests/unit/hooks/hell.py, where it is tried while time stands still. Here
stands what is to be added for a run in real time: TLS, redirects, connections that are kept, and answers that are well
formed and yet mean harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from controlplane.hooks.errors import Code
from tests.hell import connections, contents, handshakes, redirects
from tests.unit.hooks import hell
from tests.unit.hooks.servers import Handler, answer, read_request

# How a request for a document may end: the number of its failure, or None for a body (which may be no document).
Ending: TypeAlias = int | None


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`endings` for a document. A slow one keeps a request until its deadline; `tls` names a certificate of ours.

    `is_kept` says that the connection takes another request, which is what the harm is done to.
    """

    handler: Handler
    endings: frozenset[Ending]
    is_slow: bool = False
    tls: str = ""
    is_kept: bool = False

    @property
    def scheme(self) -> str:
        return "https" if self.tls else "http"


_UNASKED = frozenset({Code.HTTP_FAILURE, Code.CONNECTION_FAILURE, Code.PROTOCOL_VIOLATION})


def _all() -> dict[str, Behaviour]:
    found = {name: Behaviour(handler, frozenset({code}), is_slow=True) for name, (handler, code) in hell.SLOW.items()}
    found |= {name: Behaviour(handler, _either(name, code)) for name, (handler, code) in hell.FAST.items()}
    found |= {
        f"{before}, unasked": Behaviour(handler, _UNASKED)
        for before, handler in (
            ("answers", hell.answers_before_it_is_asked),
            ("answers and closes", hell.answers_before_it_is_asked_and_closes),
        )
    }
    for table in (redirects.TABLE, connections.TABLE, contents.TABLE):
        found |= {name: Behaviour(handler, _set(ending)) for name, (handler, ending) in table.items()}
    found |= {name: Behaviour(handler, _set(None), is_kept=True) for name, handler in connections.KEPT.items()}
    for table in (redirects.SLOW, connections.SLOW):
        found |= {name: Behaviour(handler, _set(ending), is_slow=True) for name, (handler, ending) in table.items()}
    for name, (handler, ending, tls, is_slow) in handshakes.TABLE.items():
        found[name] = Behaviour(handler, _set(ending), is_slow, tls)
    return found


def _either(name: str, code: Code) -> frozenset[Ending]:
    """In real time it may be the bound on all that is said that ends a flood, before the bound on the content does."""
    is_flood = name.startswith("floods") and code == Code.BODY_TOO_LARGE
    return frozenset({code, Code.PROTOCOL_VIOLATION}) if is_flood else frozenset({code})


def _set(ending: Ending | tuple[Ending, ...]) -> frozenset[Ending]:
    return frozenset(ending) if isinstance(ending, tuple) else frozenset({ending})


async def answers_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What an ordinary application does; it says what it was asked, so that no answer can be taken for another."""
    while (request := await read_request(reader)) is not None:
        writer.write(answer(b"<Response><!-- %s --></Response>" % request.path.encode()))
        await writer.drain()


WELL = "well"
TABLE: Mapping[str, Behaviour] = _all()
