"""Lists in pages, newest first. A cursor is the id at the edge of a page: pages stay put while rows are added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from controlplane.base.errors import BadInput
from controlplane.store.database import Transaction
from controlplane.store.edge import uuid_of
from controlplane.store.queries import Query, backwards

T = TypeVar("T")

_LAST, _FIRST = UUID(int=(1 << 128) - 1), UUID(int=0)
MOST = 100


@dataclass(frozen=True, slots=True)
class Window:
    """Which page: `limit` rows (1 to MOST), those `after` a cursor (older) or those `before` one (newer)."""

    limit: int = 50
    after: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Rows, and the cursors of the pages beside this one, None where there is none."""

    data: tuple[T, ...]
    next_cursor: str | None
    previous_cursor: str | None
    has_more: bool


async def read_page(
    tx: Transaction, kind: Callable[..., T], query: Query, column: str, window: Window, /, **values: object
) -> Page[T]:
    """Run a list's query for one page; `column` is its id column, which cursors name.

    The query takes `newest` and `oldest` (ids, both exclusive) and `limit`. Raises BadInput, InvalidId for a cursor
    that is none.
    """
    if not 1 <= window.limit <= MOST or (window.after and window.before):
        raise BadInput("A page has 1 to 100 rows and starts after or before a cursor, not both.")
    newest = _LAST if window.after is None else uuid_of(column, window.after)
    oldest = _FIRST if window.before is None else uuid_of(column, window.before)
    wanted = query if window.before is None else backwards(query)
    rows = await tx.all(kind, wanted, newest=newest, oldest=oldest, limit=window.limit + 1, **values)
    is_longer = len(rows) > window.limit
    rows = rows[: window.limit]
    if window.before is not None:
        rows.reverse()
    return _page(rows, column, window, is_longer=is_longer)


def _page(rows: list[T], column: str, window: Window, *, is_longer: bool) -> Page[T]:
    if not rows:
        return Page((), None, None, has_more=False)
    has_older = is_longer or window.before is not None
    has_newer = (is_longer and window.before is not None) or window.after is not None
    return Page(
        tuple(rows),
        str(getattr(rows[-1], column)) if has_older else None,
        str(getattr(rows[0], column)) if has_newer else None,
        has_more=has_older,
    )
