"""Loops that run as long as their process: one that ends is a defect."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

log = logging.getLogger(__name__)


def insist_on(task: asyncio.Task[None], on_broken: Callable[[], None]) -> None:
    """Call `on_broken` when a loop ends that never should: what a process does without it looks like health."""

    def done(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled():
            log.critical("loop_broke", exc_info=ended.exception(), extra={"loop": ended.get_name()})
            on_broken()

    task.add_done_callback(done)
