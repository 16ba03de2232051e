"""What the client's own process looked like meanwhile: how late its event loop was, how long one thing kept it busy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

BEAT_S = 0.005


@dataclass(slots=True)
class Pulse:
    """Beats of the loop: when each came (monotonic), how late it was, CPU time of all our threads since the last."""

    beats: list[tuple[float, float, float]] = field(default_factory=list)

    async def next_beat(self) -> None:
        """Wait for it: what was done since the last is not in the beats before."""
        number = len(self.beats)
        while len(self.beats) == number:
            await asyncio.sleep(BEAT_S)

    def taken_s(self, since_s: float) -> float:
        """How much time the machine took from the loop since then.

        What we computed meanwhile is no excuse: who computes for a second is late by it, and it is not in here.
        """
        return sum(max(0.0, min(late, at - since_s) - cpu) for at, late, cpu in self.beats if at >= since_s)

    def longest_cpu_s(self, since_s: float) -> float:
        """The most that this process computed between two beats. What other programs do is not in it."""
        return max((cpu for at, _, cpu in self.beats if at >= since_s), default=0.0)


@asynccontextmanager
async def feeling_the_pulse() -> AsyncIterator[Pulse]:
    """Beat while the block runs."""
    pulse = Pulse()
    beating = asyncio.create_task(_beat(pulse))
    try:
        yield pulse
    finally:
        beating.cancel()


async def _beat(pulse: Pulse) -> None:
    while True:
        began_s, cpu_s = time.monotonic(), time.process_time()
        await asyncio.sleep(BEAT_S)
        now_s = time.monotonic()
        pulse.beats.append((now_s, max(0.0, now_s - began_s - BEAT_S), time.process_time() - cpu_s))


def forget_peak() -> None:
    """Begin anew with the peak of this process's memory (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def memory_bytes() -> tuple[int, int]:
    """How much memory this process has now, and had at most since `forget_peak`."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    now, peak = (int(lines[name].split()[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def open_files() -> int:
    """How many descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))
