"""The loop's lag, on a clock that says how long each sleep took."""

from __future__ import annotations

import asyncio

import pytest

from controlplane.metrics import Metrics, measure_loop_lag


class LateClock:
    """A clock whose sleeps take as much longer as it was told; the last one is cut off."""

    def __init__(self, late_s: list[float]) -> None:
        self._late_s, self._now_s = late_s, 100.0

    def now_ms(self) -> int:
        return int(self._now_s * 1000)

    def monotonic_s(self) -> float:
        return self._now_s

    async def sleep(self, seconds: float) -> None:
        if not self._late_s:
            raise asyncio.CancelledError
        self._now_s += seconds + self._late_s.pop(0)


async def test_each_sleep_notes_how_late_it_was() -> None:
    metrics = Metrics()
    with pytest.raises(asyncio.CancelledError):
        await measure_loop_lag(metrics, LateClock([0.0, 0.003, 0.75]))
    read = metrics.registry.get_sample_value
    assert read("controlplane_loop_lag_seconds_count") == 3
    assert read("controlplane_loop_lag_seconds_bucket", {"le": "0.005"}) == 2
    assert read("controlplane_loop_lag_seconds_sum") == pytest.approx(0.753)
