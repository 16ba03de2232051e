"""Loops without which a process is of no use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from controlplane.callserver.endless import insist_on


async def for_ever() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise ZeroDivisionError


async def over() -> None:
    return


@pytest.mark.parametrize(("loop", "ends"), [(broken, 1), (over, 1), (for_ever, 0)])
async def test_a_process_ends_with_a_loop_that_ends_by_itself(
    loop: Callable[[], Coroutine[None, None, None]], ends: int
) -> None:
    broken_calls: list[None] = []
    task = asyncio.create_task(loop())
    insist_on(task, lambda: broken_calls.append(None))
    await asyncio.wait({task}, timeout=0.05)
    task.cancel()
    await asyncio.wait({task})
    assert len(broken_calls) == ends
