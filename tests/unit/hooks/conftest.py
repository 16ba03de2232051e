"""Which event loops these tests run on: no timeout of theirs can end unless a test moves the time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.still_time import StillLoop, StillUvloop

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """What servers do to us is tried on the loop that processes run on as well: the two differ at closing."""
    plain: dict[str, LoopFactory] = {"asyncio": StillLoop}
    if item.path.stem in ("test_server_from_hell", "test_tls", "test_retries", "test_pool"):
        return plain | {"uvloop": StillUvloop}
    return plain
