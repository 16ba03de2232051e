"""Records as text, for files: a record goes out as JSON and comes back the same. Pure."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from controlplane.base.ids import AccountId, CallId
from controlplane.store.records import Record, Write

_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Write)}


def write_record(record: Record) -> str:
    """A record as JSON text; of what it brings, only what differs from the defaults."""
    told = {
        "account": record.account,
        "call": record.call,
        "seq": record.seq,
        "at_ms": record.at_ms,
        "kind": record.kind,
        "data": record.data,
        "digest": record.digest.hex(),
        "writes": [_write(write) for write in record.writes],
    }
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"))


def read_record(text: str) -> Record:
    """What `write_record` wrote; raises ValueError on anything else."""
    try:
        told = json.loads(text)
        return Record(
            AccountId(told["account"]),
            CallId(told["call"]),
            told["seq"],
            told["at_ms"],
            told["kind"],
            told["data"],
            bytes.fromhex(told["digest"]),
            tuple(_read(kind, fields) for kind, fields in told["writes"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError("no record") from error


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[kind])


def _write(write: Write) -> tuple[str, Any]:
    kind = type(write).__name__
    return kind, _adapter(kind).dump_python(write, mode="json", exclude_defaults=True)


def _read(kind: str, fields: object) -> Write:
    read: Write = _adapter(kind).validate_python(fields)
    return read
