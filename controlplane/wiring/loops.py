"""The event loop of our processes."""

from __future__ import annotations

import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

# Python looks for garbage in cycles after every 700 new objects, and now and then among all that live. A call makes
# thousands and hardly any cycle, and among 10,000 live calls such a look takes a quarter of a second, in which no event
# is answered. A look at 10,000 new objects takes some 4 ms; cycles that live longer than until then wait.
_YOUNG, _OLDER, _OLDEST = 10_000, 500, 100


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a process's work to its end on uvloop."""
    collect_seldom()
    return uvloop.run(work)


def collect_seldom() -> None:
    """Have Python look for garbage less often, and never among what is there by now: modules and their tables."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _OLDER, _OLDEST)
