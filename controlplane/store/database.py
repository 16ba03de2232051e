"""A process's connections, and the one thing that services get of them: a transaction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import monotonic
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from controlplane.base.errors import Conflict, InvalidId, NotFound, Unavailable
from controlplane.store.connecting import KEPT_ALIVE, cut_after, is_quiet
from controlplane.store.edge import rows_as, to_database
from controlplane.store.queries import Query

T = TypeVar("T")

_TIMEOUTS = "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=5s"
_LONGEST_S = 12.0  # a transaction that takes longer hangs: the server itself ends a statement before that
_CHECK_S = 2.0  # what a server that lives needs to say that it does
_RECONNECT_S = 1.0  # then whoever wants a connection next tries at once; the pool's own pauses grow to minutes
_TRUSTED_S = 1.0  # a connection that worked so lately is taken to work still


class DatabaseAway(Unavailable):
    """The database does not answer; try again later."""

    slug = "database-unavailable"


class DatabaseBehind(Unavailable):
    """The database is not what this version needs: run `callplane migrate`."""

    slug = "database-behind"


class Transaction:
    """One database transaction: named queries in, values out. Ids are converted on the way (`store/edge.py`)."""

    def __init__(self, connection: AsyncConnection[Any]) -> None:
        """`connection` is for the rest of `store` alone."""
        self.connection = connection

    async def run(self, query: Query, /, **values: object) -> int:
        """Carry out a query and answer how many rows it touched."""
        cursor = await self.connection.execute(query.text, to_database(values))
        return cursor.rowcount

    async def all(self, kind: Callable[..., T], query: Query, /, **values: object) -> list[T]:
        """Every row, each as `kind(**columns)`."""
        async with self.connection.cursor(row_factory=rows_as(kind)) as cursor:
            await cursor.execute(query.text, to_database(values))
            return await cursor.fetchall()

    async def maybe(self, kind: Callable[..., T], query: Query, /, **values: object) -> T | None:
        """The first row, or None."""
        rows = await self.all(kind, query, **values)
        return rows[0] if rows else None

    async def one(self, kind: Callable[..., T], query: Query, /, **values: object) -> T:
        """The row that must be there; raises NotFound, for an id that is none as well."""
        with unknown_is_not_found():
            found = await self.maybe(kind, query, **values)
        if found is None:
            raise NotFound
        return found


class Database:
    """A pool of connections to one database. Open it in the event loop that uses it; `async with` does both ends."""

    def __init__(self, url: str, *, size: int = 10, name: str = "callplane", wait_s: float = 5.0) -> None:
        """`size` is the most connections, `wait_s` how long to wait for one (DatabaseAway after that)."""
        self._wait_s = wait_s
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            kwargs={"application_name": name, "options": _TIMEOUTS, **KEPT_ALIVE},
            check=self._check,
            reconnect_timeout=_RECONNECT_S,
        )
        self._used_s: WeakKeyDictionary[AsyncConnection[Any], float] = WeakKeyDictionary()

    async def __aenter__(self) -> Database:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Begin to connect; does not wait for it."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give every connection back."""
        await self._pool.close()

    def usage(self) -> tuple[int, int]:
        """Connections open, and of these in use."""
        stats = self._pool.get_stats()
        size = stats.get("pool_size", 0)
        return size, size - stats.get("pool_available", 0)

    def waiting(self) -> int:
        """How many wait for a connection."""
        return int(self._pool.get_stats().get("requests_waiting", 0))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction: committed at the end, rolled back on any error.

        Raises DatabaseAway when PostgreSQL cannot be reached, Conflict when a row that must be unique is there already.
        """
        async with self.connection() as connection, connection.transaction():
            yield Transaction(connection)

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[Transaction]:
        """For queries that each stand alone, a transaction of its own: one round trip instead of three.

        Raises as `transaction` does.
        """
        async with self.connection() as connection:
            await connection.set_autocommit(True)
            yield Transaction(connection)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[Any]]:
        """A connection of the pool, for the rest of `store` alone; raises as `transaction` does."""
        with database_errors():
            async with self._pool.connection(timeout=self._wait_s) as connection:
                if connection.autocommit:
                    await connection.set_autocommit(False)
                with cut_after(connection, _LONGEST_S):
                    yield connection
                self._used_s[connection] = monotonic()

    async def _check(self, connection: AsyncConnection[Any]) -> None:
        """See whether a connection still works. One that did a moment ago and is quiet is not asked: a round trip."""
        is_fresh = monotonic() - self._used_s.get(connection, 0.0) < _TRUSTED_S
        if not (is_fresh and is_quiet(connection)):
            with cut_after(connection, _CHECK_S):
                await AsyncConnectionPool.check_connection(connection)


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn the driver's errors into ours.

    InternalError is what PostgreSQL says when it ended a session whose transaction waited for long (we slept, or it
    did), and when it is a standby that takes nothing.
    """
    try:
        yield
    except (psycopg.OperationalError, psycopg.InternalError, PoolTimeout) as error:
        raise DatabaseAway from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise DatabaseBehind from error
    except psycopg.errors.UniqueViolation as error:
        raise Conflict(constraint=error.diag.constraint_name) from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise NotFound(constraint=error.diag.constraint_name) from error


@contextmanager
def unknown_is_not_found() -> Iterator[None]:
    """An id that is none of ours names nothing: the same answer as for one that nobody has."""
    try:
        yield
    except InvalidId as error:
        raise NotFound from error
