"""The end of a process by a defect of its own: whoever supervises it starts another."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

log = logging.getLogger(__name__)

DEFECT = 70  # exit status, as in sysexits.h


def end_at_once(status: int) -> None:
    """Be gone as by a kill: the kernel closes what is open, and others go on with what we had."""
    logging.shutdown()
    os._exit(status)


def insist_on(task: asyncio.Task[None], on_broken: Callable[[], None]) -> None:
    """Call `on_broken` when a loop ends that never should: what a process does without it looks like health."""

    def done(ended: asyncio.Task[None]) -> None:
        if not ended.cancelled():
            log.critical("loop_broke", exc_info=ended.exception(), extra={"loop": ended.get_name()})
            on_broken()

    task.add_done_callback(done)
