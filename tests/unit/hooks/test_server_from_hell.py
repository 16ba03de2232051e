import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from controlplane.hooks.errors import Code, HookError
from controlplane.hooks.limits import Limits
from tests.unit.hooks.asking import client_to_loopback, document, failure_of
from tests.unit.hooks.hell import FAST, SLOW, answers_before_it_is_asked, answers_before_it_is_asked_and_closes
from tests.unit.hooks.servers import Handler, serving_raw

SHORT = Limits(connect_ms=250, read_ms=150, total_ms=300, retry_pause_ms=0)
AMPLE = Limits(connect_ms=3000, read_ms=5000, total_ms=5000, retry_pause_ms=0)
MARGIN_MS = 100


class Lag:
    """How late this machine's event loop was at worst, milliseconds: that is not the client's doing."""

    worst_ms = 0.0


@asynccontextmanager
async def lag_measured() -> AsyncIterator[Lag]:
    lag = Lag()

    async def watch() -> None:
        while True:
            slept_s = time.monotonic()
            await asyncio.sleep(0.005)
            lag.worst_ms = max(lag.worst_ms, (time.monotonic() - slept_s - 0.005) * 1000)

    watcher = asyncio.create_task(watch())
    try:
        yield lag
    finally:
        watcher.cancel()


async def ending_with(handler: Handler, limits: Limits) -> tuple[HookError, float]:
    """Ask such a server for a document; answer the error, and the milliseconds it came after its deadline."""
    async with serving_raw(handler) as server, client_to_loopback(limits) as client, lag_measured() as lag:
        error = await failure_of(client, document(server.url()))
    return error, error.elapsed_ms - limits.total_ms - lag.worst_ms


def test_there_are_more_than_forty_behaviours() -> None:
    assert len(SLOW) + len(FAST) > 40


@pytest.mark.parametrize("name", SLOW)
async def test_slow_server_is_left_at_the_deadline(name: str) -> None:
    handler, code = SLOW[name]

    error, late_ms = await ending_with(handler, SHORT)

    assert error.code == code
    assert late_ms < MARGIN_MS


@pytest.mark.parametrize("name", FAST)
async def test_wrong_answer_ends_in_its_number_before_the_deadline(name: str) -> None:
    handler, code = FAST[name]

    error, late_ms = await ending_with(handler, AMPLE)

    assert error.code == code
    assert late_ms < 0


@pytest.mark.parametrize("handler", [answers_before_it_is_asked, answers_before_it_is_asked_and_closes])
async def test_answer_before_the_question_is_a_failure_on_either_loop(handler: Handler) -> None:
    error, late_ms = await ending_with(handler, AMPLE)

    assert error.code in (Code.HTTP_FAILURE, Code.CONNECTION_FAILURE)
    assert late_ms < 0
