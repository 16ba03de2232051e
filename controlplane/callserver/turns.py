"""Long work in small pieces, so that nothing that lives waits for it.

Taking a thousand calls over is half a second of computing, several times that on a machine that is busy just then. In
one piece it would keep news from being read, make this server look as if it had slept (`pulse.py`), and so cut the
links and begin again, with more to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

AT_ONCE = 10  # calls, each of which is a millisecond at most

One = TypeVar("One")


async def in_turns(many: Iterable[One], at_once: int = AT_ONCE) -> AsyncIterator[One]:
    """The same, one after the other; after every few the event loop has its turn."""
    for number, one in enumerate(many, 1):
        yield one
        if number % at_once == 0:
            await asyncio.sleep(0)
