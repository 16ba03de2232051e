"""The event loop of our processes."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a process's work to its end on uvloop."""
    return uvloop.run(work)
