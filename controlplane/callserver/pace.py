"""When to look at what a node has: seldom, and soon where something is likely to be found."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from controlplane.base.clock import Clock

SELDOM_S = 15.0
# A caller who came in just before the shards did is in no event of ours, and the node's list lags by up to some hundred
# milliseconds. What is found at two looks in a row is taken, hence close ones.
AFTER_TAKING_S = (0.05, 0.05, 0.1, 0.1, 0.2, 0.3, 0.5, 1.0)
AFTER_LOSS_S = (1.0, 1.0)  # whoever wrote in the call's journal may be about to let go of it
REST_AFTER_A_LOOK = 5  # times as long as the look took: a list of ten thousand channels is megabytes


@dataclass(slots=True)
class Pace:
    """Of the looks at one node."""

    _pauses_s: list[float] = field(default_factory=list)  # until the looks that come soon
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    def taken(self) -> None:
        """Shards came to us, or the links came back."""
        self._hurry(AFTER_TAKING_S)

    def lost(self) -> None:
        """A call was let go of that may be ours all the same."""
        self._hurry(AFTER_LOSS_S)

    async def wait(self, clock: Clock, looked_s: float) -> None:
        """Wait until it is time for a look; the last one took `looked_s`."""
        if not self._pauses_s:
            await wait_for(self._hurried, clock, SELDOM_S)
        self._hurried.clear()
        if self._pauses_s:
            await clock.sleep(max(self._pauses_s.pop(0), REST_AFTER_A_LOOK * looked_s))

    def _hurry(self, pauses_s: tuple[float, ...]) -> None:
        if sum(pauses_s) > sum(self._pauses_s):
            self._pauses_s = list(pauses_s)
        self._hurried.set()


async def wait_for(event: asyncio.Event, clock: Clock, most_s: float) -> None:
    """Wait until something happens, or a while has passed."""
    waiting = asyncio.ensure_future(event.wait())
    pause = asyncio.ensure_future(clock.sleep(most_s))
    try:
        await asyncio.wait({waiting, pause}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        pause.cancel()
