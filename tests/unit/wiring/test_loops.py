"""The event loop of our processes, and how often Python looks for garbage there."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from controlplane.wiring.loops import run


@pytest.fixture
def _garbage_as_before() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


@pytest.mark.usefixtures("_garbage_as_before")
def test_work_is_done_with_garbage_looked_for_seldom() -> None:
    async def work() -> tuple[int, int]:
        return gc.get_threshold()[0], gc.get_freeze_count()

    young, frozen = run(work())
    assert young == 10_000
    assert frozen > 10_000
