"""The journal's wire form: an event as a kind and a JSON text, small enough to be written for every call."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter

from controlplane.calls.commands import Command
from controlplane.calls.events import DocumentArrived, Event

KINDS: dict[str, type[Any]] = {event.__name__: event for event in get_args(Event)}


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(KINDS[kind])


def prepare() -> None:
    """Make ready what reads and writes events: the first of each kind would take long, when others wait for it."""
    for kind in KINDS:
        _adapter(kind)


def encode_event(event: Event) -> tuple[str, str]:
    """Write an event: its kind, and what differs from the defaults as JSON.

    A document that is no UTF-8 (it will be refused, but the journal keeps it) is written in base64.
    """
    kind = type(event).__name__
    if isinstance(event, DocumentArrived):
        return kind, _encode_document(event)
    return kind, _adapter(kind).dump_json(event, exclude_defaults=True).decode()


def decode_event(kind: str, data: str) -> Event:
    """Read what `encode_event` wrote; raises ValueError on anything else."""
    if kind not in KINDS:
        raise ValueError(f"no event of the journal: {kind}")
    if KINDS[kind] is DocumentArrived:
        return _decode_document(data)
    decoded: Event = _adapter(kind).validate_json(data)
    return decoded


def digest_of(commands: Iterable[Command]) -> bytes:
    """Eight bytes that tell whether a replay gave the same commands."""
    return hashlib.blake2b(repr([_canonical(command) for command in commands]).encode(), digest_size=8).digest()


def _canonical(value: object) -> object:
    """The same text in every process: sets are sorted, as their order is not the same twice."""
    kind: type[Any] = type(value)
    if kind is str or kind is int:  # nearly all there is
        return value
    names = _names(kind)  # type: ignore[arg-type]  # mypy holds the hash of instances against classes
    if names is not None:
        return (kind.__name__, *[_canonical(getattr(value, name)) for name in names])
    if isinstance(value, frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple):
        return [_canonical(one) for one in value]
    return str(value) if isinstance(value, StrEnum) else value


@cache
def _names(kind: type[Any]) -> tuple[str, ...] | None:
    """The fields of a dataclass, None for what is none: looked up once, for there is a digest in every entry."""
    return tuple([field.name for field in fields(kind)]) if is_dataclass(kind) else None


def _decode_document(data: str) -> DocumentArrived:
    try:
        parts = json.loads(data)
        raw = parts.pop("base64", None)
        body = base64.b64decode(raw) if raw is not None else parts.pop("body").encode()
        arrived = DocumentArrived(**parts, body=body)
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError("no document of the journal") from error  # another version's: see `decode_event`
    if not all(isinstance(text, str) for text in (arrived.token, arrived.url, arrived.content_type)):
        raise ValueError("no document of the journal")
    return arrived


def _encode_document(event: DocumentArrived) -> str:
    parts = {"token": event.token, "url": event.url, "content_type": event.content_type}
    try:
        text = event.body.decode()
    except UnicodeDecodeError:
        text = None
    if text is None or "\x00" in text:
        return json.dumps({**parts, "base64": base64.b64encode(event.body).decode()})
    return json.dumps({**parts, "body": text}, ensure_ascii=False)
