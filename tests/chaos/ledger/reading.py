"""Reading what others write: lines of JSON that may still be growing, and values that may be of any kind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class CannotLook(Exception):
    """A source cannot be read at all: the ledger says nothing about the run."""


def lines_of(path: Path) -> Iterator[Mapping[str, Any]]:
    """The objects of a file of JSON lines; a last line without its end is still being written, and not yet told.

    Nothing for a file that is not there. Raises CannotLook for a line that is no JSON object.
    """
    if not path.exists():
        return
    for place, text in enumerate(path.read_text("utf-8", "replace").splitlines(keepends=True), 1):
        if not text.endswith("\n") or not text.strip():
            continue
        try:
            line = json.loads(text)
        except ValueError as error:
            raise CannotLook(f"{path}, line {place}: {error}") from error
        if not isinstance(line, dict):
            raise CannotLook(f"{path}, line {place} is no object")
        yield line


def text_or_none(value: object) -> str | None:
    """A text, None for nothing or an empty one."""
    return str(value) if value not in (None, "") else None


def seconds_or_none(value: object) -> float | None:
    """Seconds since the epoch, None for never."""
    return float(str(value)) if value not in (None, "") else None


def whole_or_none(value: object) -> int | None:
    """A whole number, None for nothing or what is none."""
    text = str(value)
    return int(text) if text.lstrip("-").isdecimal() else None
