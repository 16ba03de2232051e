"""The edge between our words and PostgreSQL's: ids are text with a prefix here, 16 bytes there.

A column that holds an id is named for its noun (`call_id`, `app_id`), a list of them with an s (`call_ids`); the name
alone says which prefix it has. Other uuid columns are channels and keep the dashes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from psycopg import AsyncCursor, Cursor

from controlplane.base import ids
from controlplane.base.making import maker_of

T = TypeVar("T")

_PREFIX_OF = {
    "account_id": ids.ACCOUNT,
    "app_id": ids.APP,
    "call_id": ids.CALL,
    "event_id": ids.EVENT,
    "key_id": ids.KEY,
    "number_id": ids.NUMBER,
    "recording_id": ids.RECORDING,
    "request_id": ids.REQUEST,
    "secret_id": ids.SECRET,
}

_UUID_OID = 2950  # pg_type.dat


def uuid_of(column: str, text: str) -> UUID:
    """An id as PostgreSQL keeps it; raises InvalidId."""
    return UUID(int=ids.bits_of(_PREFIX_OF[column], text))


def to_database(values: Mapping[str, object]) -> dict[str, object]:
    """The values of a query, ids turned into UUIDs; raises InvalidId."""
    return {name: _to_database(name, value) for name, value in values.items()}


def rows_as(kind: Callable[..., T]) -> Callable[[Cursor[Any] | AsyncCursor[Any]], Callable[[Any], T]]:
    """A psycopg row factory: calls `kind` with the columns by their names, ids as we write them."""
    make: Callable[[Mapping[str, Any]], T] = _maker(kind)

    def factory(cursor: Cursor[Any] | AsyncCursor[Any]) -> Callable[[Any], T]:
        names, ids_at = _columns(cursor)

        def row(values: Sequence[Any]) -> T:
            converted = list(values)
            for at in ids_at:
                converted[at] = _from_database(names[at], converted[at])
            return make(dict(zip(names, converted, strict=True)))

        return row

    return factory


@cache
def _maker(kind: Callable[..., Any]) -> Callable[[Mapping[str, Any]], Any]:
    """What makes a row of its columns: dataclasses that are frozen and have slots take long by themselves."""
    if isinstance(kind, type) and is_dataclass(kind) and hasattr(kind, "__slots__"):
        return maker_of(kind)
    return lambda columns: kind(**columns)


def _columns(cursor: Cursor[Any] | AsyncCursor[Any]) -> tuple[list[str], list[int]]:
    """The names of a result's columns, and which of them hold UUIDs.

    Not by `cursor.description`: that makes an object of every column, which takes longer than to read a row.
    """
    result = cursor.pgresult
    if result is None:
        return [], []
    names = [str(result.fname(at) or b"", "utf-8") for at in range(result.nfields)]
    return names, [at for at in range(result.nfields) if result.ftype(at) == _UUID_OID]


def _to_database(name: str, value: object) -> object:
    if isinstance(value, str) and name in _PREFIX_OF:
        return uuid_of(name, value)
    if isinstance(value, list | tuple) and name.endswith("_ids") and name[:-1] in _PREFIX_OF:
        return [None if one is None else uuid_of(name[:-1], one) for one in value]
    return value


def _from_database(name: str, value: object) -> object:
    if not isinstance(value, UUID):
        return value
    prefix = _PREFIX_OF.get(name)
    return str(value) if prefix is None else ids.id_of(prefix, value.int)


def columns_of(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """Rows turned on their side: one array a column, for `unnest`; columns of ids get an s.

    Arrays are written as PostgreSQL reads them (arrayfuncs.c, array_in): psycopg would look for a way to write each of
    their values, which took a third of all that writing a record takes. Every row has the same keys. Raises InvalidId.
    """
    return {f"{name}s" if name in _PREFIX_OF else name: _array(name, rows) for name in rows[0]}


def _array(name: str, rows: Sequence[Mapping[str, object]]) -> str:
    return "{" + ",".join([_written(_to_database(name, row[name])) for row in rows]) + "}"


def _written(value: object) -> str:
    match value:
        case None:
            return "NULL"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bool() | int() | UUID():
            return str(value)
        case bytes():
            return f'"\\\\x{value.hex()}"'
    raise TypeError(type(value))
