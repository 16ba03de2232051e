"""How late an event loop runs what is due: the one number that shows a blocked or overloaded process."""

from __future__ import annotations

from controlplane.base.clock import Clock
from controlplane.metrics.registry import Metrics

PERIOD_S = 0.25


async def measure_loop_lag(metrics: Metrics, clock: Clock) -> None:
    """Sleep for PERIOD_S again and again, and note how much longer it took; runs until cancelled."""
    while True:
        due_s = clock.monotonic_s() + PERIOD_S
        await clock.sleep(PERIOD_S)
        metrics.loop_was_late(max(0.0, clock.monotonic_s() - due_s))
