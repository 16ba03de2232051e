"""What every endpoint does: ask within one transaction, answer in JSON, and do nothing twice.

Endpoints answer a `Response` that is ready to go out: shapes are written by pydantic's serialiser as they are, and not
checked on their way out a second time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, TypeAlias

from fastapi import Request, Response
from pydantic import TypeAdapter

from controlplane.api.keys import holder_of
from controlplane.api.parts import ApiParts
from controlplane.base.ids import AccountId
from controlplane.services.idempotent import Answer, run_once
from controlplane.store.database import Transaction

Use: TypeAlias = Callable[[Transaction, AccountId], Awaitable[object]]

_JSON = "application/json"


def parts_of(request: Request) -> ApiParts:
    """What this API is built of."""
    parts: ApiParts = request.app.state.parts
    return parts


async def read(request: Request, use: Use, shape: Any) -> Response:
    """Answer a question: 200 and what `use` gives, of this shape."""
    async with parts_of(request).db.autocommit() as tx:
        found = await use(tx, holder_of(request).account_id)
    return Response(to_json(found, shape), 200, media_type=_JSON)


async def change(request: Request, use: Use, shape: Any, *, status: int = 200) -> Response:
    """Carry something out, all of it or nothing; with an Idempotency-Key once only."""
    account_id, parts = holder_of(request).account_id, parts_of(request)
    key = request.headers.get("idempotency-key")
    async with parts.db.transaction() as tx:

        async def run() -> Answer:
            return Answer(status, to_json(await use(tx, account_id), shape))

        if key is None:
            answer = await run()
        else:
            answer = await run_once(tx, parts.vault, account_id, key, await _what(request), run)
    return Response(answer.body, answer.status, media_type=_JSON)


def to_json(value: object, shape: Any) -> bytes:
    """A value as JSON; `shape` is its type, which may be a generic one."""
    return _adapter(shape).dump_json(value)


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


async def _what(request: Request) -> bytes:
    """All that makes a request the one it is."""
    return f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
