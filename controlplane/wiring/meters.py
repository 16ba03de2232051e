"""What every process measures about itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from controlplane.base.clock import Clock
from controlplane.metrics.exposition import serving_metrics
from controlplane.metrics.loop_lag import measure_loop_lag
from controlplane.metrics.registry import Metrics
from controlplane.settings import Settings
from controlplane.store.database import Database
from controlplane.wiring.clock import SystemClock


@asynccontextmanager
async def measured(settings: Settings) -> AsyncIterator[None]:
    """Measure this process while the block runs, and show that where a port is set. Raises MetricsPortTaken."""
    metrics = Metrics()
    with serving_metrics(metrics, settings.metrics_port) if settings.metrics_port else contextlib.nullcontext():
        async with measuring_lag(metrics, SystemClock()):
            yield


def watch_pool(metrics: Metrics, db: Database) -> None:
    """Show the state of a process's database pool."""
    metrics.watch_database_pool(
        in_use=lambda: db.usage()[1],
        idle=lambda: db.usage()[0] - db.usage()[1],
        waiting=db.waiting,
    )


@asynccontextmanager
async def measuring_lag(metrics: Metrics, clock: Clock) -> AsyncIterator[None]:
    """Measure how late the event loop runs, and how much it has to do, while the block does."""
    loop = asyncio.get_running_loop()
    metrics.watch_tasks(lambda: len(asyncio.all_tasks(loop)))
    task = asyncio.create_task(measure_loop_lag(metrics, clock), name="loop-lag")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
