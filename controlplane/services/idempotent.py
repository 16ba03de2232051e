"""Run a request once for each Idempotency-Key, and give the same answer again for a day.

Everything happens in the request's own transaction: if the process dies, neither the effect nor the key is there. While
it runs an advisory lock of the transaction holds the key, so that the same request made meanwhile is refused and not
run twice. A request that fails leaves nothing behind and may be tried again. An answer may tell a secret, once: it is
kept sealed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

from controlplane.base.errors import BadInput, Conflict
from controlplane.store.database import Transaction
from controlplane.store.queries import query
from controlplane.store.vault import Vault

_LOCK, _FIND, _KEEP, _FORGET = (
    query("try_idempotency_lock"), query("find_answer"), query("keep_answer"), query("forget_answers"),
)  # fmt: skip
_LONGEST_KEY = 255


class KeyInUse(Conflict):
    """A request with this Idempotency-Key is under way."""

    slug = "idempotency-key-in-use"


class KeyOfAnother(BadInput):
    """This Idempotency-Key was used for another request."""

    slug = "idempotency-key-reused"


class BadIdempotencyKey(BadInput):
    """An Idempotency-Key has 1 to 255 characters."""

    slug = "bad-idempotency-key"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status and body, which is text."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    request_digest: bytes
    status: int
    sealed: bytes


async def run_once(
    tx: Transaction, vault: Vault, account_id: str, key: str, request: bytes, run: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Run, or give the answer kept for this key. `request` is all that makes it this request: method, path, body.

    Raises KeyInUse (409), KeyOfAnother (422), and whatever `run` raises.
    """
    if not 1 <= len(key) <= _LONGEST_KEY or "\0" in key:
        raise BadIdempotencyKey
    digest, row = sha256(request).digest(), f"{account_id} {key}"
    if not await tx.one(_is_taken, _LOCK, name=row):
        raise KeyInUse
    kept = await tx.maybe(_Kept, _FIND, account_id=account_id, key=key)
    if kept is not None and kept.request_digest != digest:
        raise KeyOfAnother
    if kept is not None:
        return Answer(kept.status, vault.open(kept.sealed, bound=row).encode())
    answer = await run()
    sealed = vault.seal(answer.body.decode(), bound=row)
    await tx.run(_KEEP, account_id=account_id, key=key, request_digest=digest, status=answer.status, body=sealed)
    return answer


async def forget_old_answers(tx: Transaction) -> int:
    """Take away answers older than a day; answers how many."""
    return await tx.run(_FORGET)


def _is_taken(is_taken: bool) -> bool:  # noqa: FBT001 - a row of one column
    return is_taken
